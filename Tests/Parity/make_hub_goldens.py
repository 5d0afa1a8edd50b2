"""Writes what huggingface_hub makes of random environments and names, for the Swift tests:
Tests/HubTests/Goldens/hub.json. test_hub.py holds that file to the release that is installed.

    PYTHONPATH=.oracles python3 Tests/Parity/make_hub_goldens.py
"""

import importlib
import json
import os
import pathlib
import random
import string

GOLDENS = pathlib.Path(__file__).resolve().parents[1] / "HubTests/Goldens/hub.json"
# Variables that are the same in every environment.
FIXED = {"HOME": "/home/me", "PLACE": "/place"}


def environments(count):
    """Random settings of what decides where the cache is, and whether there is a network."""
    dice = random.Random(7)
    values = {
        "HF_HOME": ["/a/b", "~/home", "$PLACE/h", "${PLACE}h", "$NONE/x", "$PLACEx", "~other/x"],
        "HF_HUB_CACHE": ["/cache", "~/cache", "$HOME/cache/", "/x/$PLACE"],
        "HUGGINGFACE_HUB_CACHE": ["/old", "~/old", "$PLACE/old"],
        "XDG_CACHE_HOME": ["/xdg", "~/xdg", "$PLACE"],
        "HF_HUB_OFFLINE": ["1", "0", "on", "True", "no", "2"],
        "TRANSFORMERS_OFFLINE": ["1", "YES", "false"],
    }
    return [{name: dice.choice(choices) for name, choices in values.items()
             if dice.random() < 0.4} for _ in range(count)]


def names(count):
    """Random names with the signs that the rules are about."""
    dice = random.Random(8)
    letters = string.ascii_letters + string.digits
    signs = "-_." * 3 + "é~ :\\"

    def part():
        length = dice.choice([1, 2, 3, 5, 8] * 4 + [96, 97])
        return "".join(dice.choice(signs if dice.random() < 0.15 else letters)
                       for _ in range(length))

    return [f"{part()}/{part()}" for _ in range(count)]


def setting(variables):
    """The cache and whether it is all there is, as huggingface_hub reads the environment."""
    from huggingface_hub import constants

    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(FIXED | variables)
        importlib.reload(constants)
        return os.path.normpath(constants.HF_HUB_CACHE), constants.HF_HUB_OFFLINE
    finally:
        os.environ.clear()
        os.environ.update(before)
        importlib.reload(constants)


def takes(name):
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def goldens():
    return {
        "environments": [
            dict(zip(("variables", "cache", "isOffline"), (variables, *setting(variables))))
            for variables in environments(60)],
        "names": [{"name": name, "isName": takes(name)} for name in names(250)]}


def text(value):
    """JSON with a case a line."""
    lists = [f' "{key}": [\n' + ",\n".join("  " + json.dumps(case) for case in cases) + "\n ]"
             for key, cases in value.items()]
    return "{\n" + ",\n".join(lists) + "\n}\n"


if __name__ == "__main__":
    GOLDENS.parent.mkdir(exist_ok=True)
    GOLDENS.write_text(text(goldens()))
