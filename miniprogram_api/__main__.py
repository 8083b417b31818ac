"""`python -m miniprogram_api` is `shukun`."""

from miniprogram_api.cli import main

main()
