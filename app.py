"""The Space: builds the page and launches it."""

from __future__ import annotations

from svad.core.startup import check_python, prepare

check_python()
prepare()

from svad.ui.serve import serve  # noqa: E402  the environment has to stand first

if __name__ == "__main__":
    serve()
