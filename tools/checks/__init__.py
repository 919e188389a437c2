"""Optional checks of exported files with other people's programs; none is part of the tests."""
