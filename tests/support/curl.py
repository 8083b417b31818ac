"""A stand-in for curl on machines without it: the options that the READMEs use, and no others."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote


def main() -> int:
    """Exit status 22, as curl's with --fail, where the answer is an error."""
    asked = _asked()
    url, data = quote(asked.url, safe=":/?&=%()"), asked.data
    if asked.get:
        name, _, value = asked.data_urlencode.partition("=")
        url, data = f"{url}{'&' if '?' in url else '?'}{name}={quote(value)}", None
    headers = dict(header.split(": ", 1) for header in asked.header)
    content = None if data is None else data.encode()
    request = urllib.request.Request(url, content, headers, method=asked.request)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        sys.stdout.buffer.write(error.read())
        return 22
    if asked.output:
        Path(asked.output).write_bytes(body)
    else:
        sys.stdout.buffer.write(body)
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("url")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-G", "--get", action="store_true")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    parser.add_argument("--data-urlencode")
    parser.add_argument("-o", "--output")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
