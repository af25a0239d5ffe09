"""Gives each slot of a run its own test databases, inside the interpreter of a Django project.

Two test processes at once would both create ``test_<NAME>``. Here each gets ``test_<NAME>_<run>_<slot>``: the
settings stay as they are on disk, and only their ``TEST`` names change, right before Django creates the
databases. A slot's databases are migrated once and kept until the run is over, unless somebody left them in
another state than they were found in.

Standard library only, Python 3.8 and Django 3.2 upwards. ``E2E_DJANGO`` names the folder of the run in which
the databases are written down before they are made, so that whoever ends the run can drop them. Before any of it
``E2E_DJANGO_SAFEGUARDS`` is asked whether these settings are to be tested with at all.
"""  # noqa: INP001 - the folder is put on the path and must not be a package.

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import sys

# Bytes: PostgreSQL cuts off what comes after 63, where two slots would have one name. Three are for the numbers
# that Django's own workers get.
LONGEST_NAME = 60
PACKAGE = os.path.abspath(os.path.join(__file__, *[os.pardir] * 4))
LEDGER, DROPPED = "databases.jsonl", "dropped.jsonl"


class After:
    """A finder that lets the usual ones find a module, and changes it once it has been loaded."""

    def __init__(self, changes):
        self.changes = changes

    def install(self):
        for name, change in self.changes.items():
            if name in sys.modules:
                change(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        change = self.changes.get(name)
        if change is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            change(module)

        spec.loader.exec_module = exec_module
        return spec


class Slot:
    """``keep``: the databases are to outlive the run; ``caches``: caches get a prefix for each slot."""

    def __init__(self, home, run, number, keep=False, caches=False):
        self.home, self.run, self.number, self.keep, self.caches = home, run, number, keep, caches

    @classmethod
    def of_environment(cls, environ):
        """None outside of a run, and where the databases are to be shared."""
        home, run, number = (environ.get(name) for name in ("E2E_DJANGO", "E2E_RUN_ID", "E2E_SLOT"))
        if not home or not run or number is None:
            return None
        keep, caches = (environ.get(name) == "1" for name in ("E2E_DJANGO_KEEP", "E2E_DJANGO_CACHES"))
        return cls(home, run, number, keep=keep, caches=caches)

    @property
    def suffix(self):
        """The last part of a run's id tells it from every other; the first is the time."""
        return "slot%s" % self.number if self.keep else "%s_%s" % (self.run.rpartition("-")[2], self.number)

    def name(self, settings):
        """The test database of these settings in this slot; None where Django already keeps it apart."""
        given = settings.get("TEST", {}).get("NAME")
        if "sqlite" in settings["ENGINE"]:
            if not given or ":memory:" in str(given) or "mode=memory" in str(given):
                return None
            root, extension = os.path.splitext(str(given))
            return "%s_%s%s" % (root, self.suffix, extension)
        name = "%s_%s" % (given or "test_%s" % settings["NAME"], self.suffix)
        encoded = name.encode("utf-8")
        if len(encoded) <= LONGEST_NAME:
            return name
        end = "_%s_%s" % (hashlib.sha256(encoded).hexdigest()[:8], self.suffix)
        return encoded[: LONGEST_NAME - len(end)].decode("utf-8", "ignore") + end


def identity(settings):
    """Stands for the server and the database that the settings name."""
    parts = [str(settings.get(key) or "") for key in ("ENGINE", "HOST", "PORT", "NAME")]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:16]


class RefusedError(Exception):
    """A safeguard does not want these settings to be tested with."""


class Safeguards:
    """What must not be touched, by the rules of the run and what the settings themselves allow."""

    def __init__(self, rules):
        self.rules = rules

    @classmethod
    def of_environment(cls, environ):
        rules = environ.get("E2E_DJANGO_SAFEGUARDS")
        return cls(json.loads(rules)) if rules else None

    def check(self, debug=None):
        """Before anything is made or dropped; ``debug`` is what the settings say, where tests have changed it."""
        from django.conf import settings
        from django.db import connections

        debug = settings.DEBUG if debug is None else debug
        self.refuse(self.guard(settings).refusals(connections, environ=os.environ, debug=debug))

    def check_names(self, own):
        from django.conf import settings
        from django.db import connections

        self.refuse(self.guard(settings).refused_names(connections, own=own))

    def guard(self, settings):
        guard = load("django_settings").Guard(load("words"), **self.rules)
        guard.allow_what_settings_say(settings)
        return guard

    @staticmethod
    def refuse(found):
        found = list(found)
        if found:
            entries = {", ".join("%s: %s" % pair for pair in target.items()): None for _, target in found}
            allow = ", ".join("{%s, why: ...}" % entry for entry in entries)
            text = "; ".join(dict.fromkeys(why for why, _ in found))
            raise RefusedError("%s\nhint: if it is meant, write safeguards: {allow: [%s]}" % (text, allow))


def load(name):
    """A module of our own package, from its file: the interpreter may have none of it, or another version."""
    path = os.path.join(PACKAGE, "safety", name + ".py")
    spec = importlib.util.spec_from_file_location("e2e_orchestrator_safety_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Databases:
    """What a process does with the databases of its slot; wraps Django's own two functions.

    Without a slot they stay as they are, and are only looked at.
    """

    def __init__(self, slot, tell=None, safeguards=None):
        self.slot, self.tell, self.safeguards = slot, tell, safeguards
        self.applied = {}
        self.flushed = self.prefixed = False
        self.marker = None

    def wrap_utils(self, module):
        setup, teardown = module.setup_databases, module.teardown_databases

        def setup_databases(*args, **options):
            try:
                self.prepare(module, parallel=options.get("parallel") or 0)
                if self.marker:
                    options["keepdb"] = self.claim()
                return setup(*args, **options)
            except (Exception, SystemExit) as error:
                if self.tell:
                    self.tell("%s: %s" % (type(error).__name__, error))
                raise

        def teardown_databases(*args, **options):
            if not self.marker:
                return teardown(*args, **options)
            # The signatures of Django: (old_config, verbosity, parallel=0, keepdb=False).
            result = teardown(*args[:3], **{**options, "keepdb": True})
            if not self.flushed:
                self.mark(self.clean())
            return result

        module.setup_databases, module.teardown_databases = setup_databases, teardown_databases

    def prepare(self, module, parallel):
        if self.safeguards:
            saved = getattr(getattr(module, "_TestState", None), "saved_data", None)
            self.safeguards.check(debug=getattr(saved, "debug", None))
        if self.slot:
            self.rename(parallel)
        if self.safeguards:
            self.safeguards.check_names([alias for alias, name in self.applied.items() if name])
        if self.slot and self.slot.caches:
            self.prefix_caches()

    def wrap_testcases(self, module):
        """A flush also empties what migrations wrote: the next test must not find it so."""
        kind = module.TransactionTestCase
        original = kind._fixture_teardown

        def _fixture_teardown(case):
            self.flushed = True
            return original(case)

        kind._fixture_teardown = _fixture_teardown

    def rename(self, parallel):
        from django.conf import settings
        from django.db import connections

        for alias in connections:
            found = connections[alias].settings_dict
            if alias in self.applied or found.get("TEST", {}).get("MIRROR"):
                continue
            known = identity(found)
            self.applied[alias] = name = self.slot.name(found)
            if name is None:
                continue
            found["TEST"]["NAME"] = settings.DATABASES[alias]["TEST"]["NAME"] = name
            self.write_down(alias, known, name, parallel)
        names = sorted(filter(None, self.applied.values()))
        if names:
            digest = hashlib.sha256("\0".join(names).encode("utf-8")).hexdigest()[:16]
            self.marker = os.path.join(self.slot.home, "%s-%s" % (self.slot.suffix, digest))

    def prefix_caches(self):
        """Keys of this slot only, in caches that all slots share."""
        from django.conf import settings
        from django.core.cache import caches

        if self.prefixed:
            return
        self.prefixed = True
        for alias, found in settings.CACHES.items():
            prefix = "-".join(filter(None, [str(found.get("KEY_PREFIX") or ""), self.slot.suffix]))
            found["KEY_PREFIX"] = caches.settings[alias]["KEY_PREFIX"] = prefix
            caches[alias].key_prefix = prefix  # Of a cache that somebody has opened already.

    def write_down(self, alias, known, name, parallel):
        if self.slot.keep:
            return
        line = {
            "alias": alias,
            "name": name,
            "identity": known,
            "slot": self.slot.number,
            "parallel": parallel,
            "settings": os.environ.get("DJANGO_SETTINGS_MODULE"),
            "path": os.getcwd(),
        }
        os.makedirs(self.slot.home, exist_ok=True)
        with open(os.path.join(self.slot.home, LEDGER), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    @staticmethod
    def clean():
        """Other settings may have other apps, and other tables."""
        return "clean, of %s" % os.environ.get("DJANGO_SETTINGS_MODULE")

    def claim(self):
        """Whether the databases can be taken as they are; whoever dies now leaves them marked."""
        try:
            with open(self.marker, encoding="utf-8") as file:
                usable = file.read() == self.clean()
        except OSError:
            usable = True  # Nobody had them in this run.
        self.mark("in use")
        return usable

    def mark(self, word):
        os.makedirs(self.slot.home, exist_ok=True)
        with open(self.marker, "w", encoding="utf-8") as file:
            file.write(word)


def install(tell=None):
    """Waits for Django to be imported; costs nothing in a project that never does."""
    slot, safeguards = Slot.of_environment(os.environ), Safeguards.of_environment(os.environ)
    if slot is None and safeguards is None:
        return
    databases = Databases(slot, tell, safeguards)
    After(
        {"django.test.utils": databases.wrap_utils, "django.test.testcases": databases.wrap_testcases}
    ).install()


def drop(home):
    """Drops every database in the ledger that these settings would make; returns what could not be dropped.

    What is gone moves from the ledger to the list of what was dropped: nobody has to look for it again.
    """
    ledger = os.path.join(home, LEDGER)
    with open(ledger, encoding="utf-8") as file:
        lines = list(dict.fromkeys(file))
    failed, kept, gone = [], [], []
    for line in lines:
        one = json.loads(line)
        if one["settings"]:
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", one["settings"])
        if one["path"] not in sys.path:
            sys.path.insert(0, one["path"])
        try:
            (gone if drop_one(one, home) else kept).append(line)
        except Exception as error:
            kept.append(line)
            failed.append("%s: %s: %s" % (one["name"], type(error).__name__, error))
    with open(os.path.join(home, DROPPED), "a", encoding="utf-8") as file:
        file.writelines(gone)
    if kept:
        with open(ledger + ".new", "w", encoding="utf-8") as file:
            file.writelines(kept)
        os.replace(ledger + ".new", ledger)
    else:
        os.unlink(ledger)
    return failed


def drop_one(one, home):
    """False for a database of other settings than these."""
    from django.db import connections

    if one["alias"] not in connections:
        return False
    safeguards = Safeguards.of_environment(os.environ)
    if safeguards:
        safeguards.check()
    connection = connections[one["alias"]]
    found = connection.settings_dict
    slot = Slot(home, os.environ["E2E_RUN_ID"], one["slot"])
    # Only what these very settings would have made in that slot is ever dropped.
    if identity(found) != one["identity"] or slot.name(found) != one["name"]:
        return False
    clones = ("%s_%d" % (one["name"], number + 1) for number in range(one["parallel"]))
    for name in (one["name"], *clones):
        drop_database(connection, name)
    return True


def drop_database(connection, name):
    if connection.vendor == "sqlite":
        if os.path.exists(name):
            os.unlink(name)
        return
    quoted = connection.ops.quote_name(name)
    with connection._nodb_cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        cursor.execute("DROP DATABASE IF EXISTS %s" % quoted)
