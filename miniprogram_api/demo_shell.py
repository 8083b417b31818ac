"""演示命令 (demo shell): small functions for a terminal: to act as anybody of a demo.

Each runs in a subshell, so that it leaves nothing but what it prints and the tokens in the folder.
"""

from __future__ import annotations

from typing import Final

PICK: Final = """\
# pick 成员：从答复里取出一个成员，可以一层一层取，例如 pick runs 0 id。
pick() {{
  {python} -c 'import functools, json, sys
print(functools.reduce(lambda said, one: said[int(one) if one.isdigit() else one], sys.argv[1:],
    json.load(sys.stdin)))' "$@"
}}

"""
PHONES: Final = """\
# 模拟的手机：phone 谁 做什么 [内容]，例如 phone resident1 login。
# 能做什么，见 docs/wechat-simulator.md。
PHONES={phones}
phone() {{
  case $2 in inbox) curl -s "$PHONES/$1/inbox" ;; *) curl -s "$PHONES/$1/$2" -d "${{3-}}" ;; esac
}}

"""
ACTING: Final = """\
# call 谁 方法 路径 [内容]：以某人的身份用接口，例如 call tinghu1 GET /me。第一次用谁，先替谁登录：
# 居民写手机的名字（小写），工作人员写下面的变量名（大写）。
call() (
  [ -s "$DEMO/token-$1" ] || enter "$1" || exit
  send "$2" "$3" "Authorization: Bearer $(cat "$DEMO/token-$1")" "${{4-}}"
)
send() (
  if [ -z "$4" ]; then curl -s -X "$1" "$SITE/api/v1$2" -H "$3"; exit; fi
  curl -s -X "$1" "$SITE/api/v1$2" -H "$3" -H 'Content-Type: application/json' -d "$4"
)
enter() (
  umask 077
  case $1 in
    *[A-Z]*)
      eval "no=\\$$1 password=\\$$1_PASSWORD codes=\\$$1_CODES"
      code=$({python} -m miniprogram_api staff code "$codes") || exit
      typed="{{\\"staff_no\\": \\"$no\\", \\"code\\": \\"$code\\""
      typed="$typed, \\"password\\": \\"$password\\"}}"
      send POST /staff/session 'Accept: application/json' "$typed" | pick token > "$DEMO/token-$1"
      ;;
    *)
      code=$(phone "$1" login | pick code) || exit
      typed="{{\\"code\\": \\"$code\\"}}"
      send POST /sessions 'Accept: application/json' "$typed" | pick token > "$DEMO/token-$1"
      [ -s "$DEMO/token-$1" ] || exit 1
      if [ "$(call "$1" GET /me | pick level)" = 2 ]; then exit; fi
      code=$(phone "$1" phone-code | pick code) || exit
      call "$1" POST /me/phone "{{\\"code\\": \\"$code\\"}}" > /dev/null || exit
      upper=$(printf %s "$1" | tr a-z A-Z)
      eval "name=\\$${{upper}}_NAME number=\\$${{upper}}_NUMBER"
      typed="{{\\"name\\": \\"$name\\", \\"id_number\\": \\"$number\\"}}"
      call "$1" POST /me/identity "$typed" > /dev/null
      ;;
  esac
  [ -s "$DEMO/token-$1" ]
)

# sign 谁 案件：出承诺书，打开、看到最后、用编造的笔迹签名，等盖好章；印出承诺书的编号。
sign() (
  letter=$(call "$1" POST "/applications/$2/letter" '{{"size": "normal"}}' | pick id) || exit
  call "$1" POST "/letters/$letter/opened" '{{"step": "opened"}}' > "$DEMO/letter-$letter" || exit
  sleep "$(pick least_seconds < "$DEMO/letter-$letter")"
  sleep 1
  call "$1" POST "/letters/$letter/opened" '{{"step": "end"}}' > "$DEMO/letter-$letter" || exit
  signature=$({python} -m miniprogram_api.demo_signature < "$DEMO/letter-$letter") || exit
  rm "$DEMO/letter-$letter"
  call "$1" POST "/letters/$letter/signature" "$signature" > /dev/null || exit
  until call "$1" GET "/letters/$letter" | grep -q '"state":"sealed"'; do sleep 1; done
  echo "$letter"
)

# step 谁 案件 办什么 [内容]：工作人员办一步，例如 step TINGHU_REVIEWER 12 accept。
step() (
  seq=$(call "$1" GET "/cases/$2" | pick seq) || exit
  call "$1" POST "/cases/$2/steps" "{{\\"deed\\": \\"$3\\", \\"seq\\": $seq${{4:+, $4}}}}"
)

# until_state 谁 案件 状态：等到案件到了这一步（后台几秒办一次）。
until_state() {{
  until [ "$(call "$1" GET "/applications/$2" | pick state)" = "$3" ]; do sleep 1; done
}}

"""
