"""`python -m crmn_legacy COMMAND`, which is `crmn-legacy COMMAND`."""

from crmn_legacy.cli import program

if __name__ == "__main__":
    program()
