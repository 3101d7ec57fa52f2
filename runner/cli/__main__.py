"""`python -m runner.cli` is `guiderunner`; fleets start their phases so."""

from runner.cli import main

main()
