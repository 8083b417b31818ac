"""微信模拟器 (simulator): what api.weixin.qq.com, the phone and its user are, on this machine.

A process of its own on two loopback ports: on one it speaks as WeChat does, on the other
(`/__sim/…`) one is the user, the operator and the bad luck. It keeps everything in memory,
knows nothing of the rest of the program, and is met by it through the base URL alone.
"""
