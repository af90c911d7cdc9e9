"""Profiles: what they inherit, what makes them another version, and every way in which config can be wrong."""

import shutil
from pathlib import Path

import pytest

from sluice.errors import ConfigError
from sluice.profiles import check_config, from_content, load_profile, load_sources
from sluice.settings import REPOSITORY

SHIPPED = REPOSITORY / "config"


def config(folder: Path, files: dict[str, str]) -> Path:
    """The shipped config with some files written anew."""
    shutil.copytree(SHIPPED, folder / "config")
    for name, text in files.items():
        path = folder / "config" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / "config"


def edited(folder: Path, file: str, old: str, new: str) -> Path:
    """The shipped config with one text replaced by another."""
    text = (SHIPPED / file).read_text()
    assert old in text
    return config(folder, {file: text.replace(old, new, 1)})


def test_what_ships_has_no_findings() -> None:
    assert check_config(SHIPPED) == []


def test_the_standard_profile() -> None:
    profile = load_profile(SHIPPED, "standard")
    assert [band.name for band in profile.scoring.bands] == ["nurture", "warm", "hot"]
    assert profile.routing.otherwise.team in profile.teams.teams
    assert profile.business_timezone == "Europe/Berlin"
    assert {
        "files",
        "webinar",
        "trade-show",
        "partner-list",
        "website-export",
        "company-register",
        "manual",
    } <= profile.sources.keys()
    assert profile.sources["trade-show"].name == "trade-show"


def test_a_profile_states_only_what_differs(tmp_path: Path) -> None:
    folder = config(
        tmp_path,
        {
            "profiles/bold/profile.yml": "business_timezone: Europe/Sofia",
            "profiles/bold/scoring.yml": "clamp: null\ngroups: {contact: {cap: 12}}\nbands: [{name: all, from: -40}]",
            "profiles/bolder/profile.yml": "inherits: bold",
        },
    )
    standard, bolder = load_profile(folder, "standard"), load_profile(folder, "bolder")
    assert bolder.business_timezone == "Europe/Sofia"
    assert bolder.scoring.groups["contact"].cap == 12
    assert bolder.scoring.groups["intent"] == standard.scoring.groups["intent"]
    assert bolder.scoring.signals == standard.scoring.signals
    assert (bolder.scoring.clamp.maximum, bolder.routing) == (None, standard.routing)
    assert "profiles/bold/scoring.yml" in bolder.content and "profiles/bold/scoring.yml" not in standard.content


def test_a_profile_is_made_again_from_its_content() -> None:
    profile = load_profile(SHIPPED, "standard")
    assert from_content(profile.content, "standard") == profile


@pytest.mark.parametrize(
    ("file", "old", "new", "same"),
    [
        pytest.param("teams.yml", "people:", "# a remark\n\npeople:", True, id="a remark is no change"),
        pytest.param("teams.yml", "weight: 3", "weight: 4", False, id="a weight is"),
        pytest.param("sources/webinar.yml", "trust: 60", "trust: 61", False, id="a source is"),
        pytest.param("profiles/standard/scoring.yml", "points: 30", "points: 29", False, id="points are"),
    ],
)
def test_hash(tmp_path: Path, file: str, old: str, new: str, same: bool) -> None:
    changed = load_profile(edited(tmp_path, file, old, new), "standard")
    assert (changed.hash == load_profile(SHIPPED, "standard").hash) is same


SCORING, ROUTING = "profiles/standard/scoring.yml", "profiles/standard/routing.yml"


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "found", "allowed"),
    [
        pytest.param(SCORING, "email_is_free: false", "email_is_fre: false", "signals.0.when", "there is no field 'email_is_fre', or it is switched off; did you mean 'email_is_free'?", "", id="unknown field in a condition"),
        pytest.param(SCORING, "points: 30", "point: 30", "signals.4.point", "unknown key 'point'; did you mean 'points'", "exclusive, group, name, points, when", id="unknown key"),
        pytest.param(SCORING, "points: 30", "points: many", "signals.4.points", "found 'many'", "valid integer", id="not a number"),
        pytest.param(SCORING, "{at_least: 1000}", "{atleast: 1000}", "signals.10.when", "unknown operator 'atleast'; did you mean 'at_least'?", "", id="unknown operator"),
        pytest.param(SCORING, "to: 29", "to: 27", "", "no band for 28 to 29", "", id="gap between bands"),
        pytest.param(SCORING, "to: 29", "to: 31", "", "overlap", "", id="bands overlap"),
        pytest.param(SCORING, "seniority: vp", "seniority: vice_president", "signals.5.when", "'vice_president' never occurs", "c_level, vp", id="a value that a choice cannot have"),
        pytest.param(SCORING, "kind: call", "kind: visit", "bands.2.actions.0.kind", "found 'visit'", "'call', 'task' or 'email'", id="unknown kind of action"),
        pytest.param(SCORING, "groups:", "groups:\n  contact: {cap: 1}", "", "the key 'contact' is written twice", "each key once", id="a key twice"),
        pytest.param(ROUTING, "team: strategic", "team: stratgic", "rules.0.to.team", "there is no team 'stratgic'; did you mean 'strategic'?", "strategic, us-midwest", id="unknown team"),
        pytest.param(ROUTING, "person: ines", "person: inez", "rules.1.to.person", "there is no person 'inez'", "amara, ben", id="unknown person"),
        pytest.param(ROUTING, "otherwise: {team: intake-desk}", "", "otherwise", "it is missing", "", id="no catch-all"),
        pytest.param(ROUTING, '["60000", "62999"]', "[60000, 62999]", "rules.2.when", "zip holds a text, found 60000; write it in quotes", "", id="a ZIP code that is a number"),
        pytest.param("teams.yml", "members: [{person: ines}]", "members: []", "teams.partners.members", "team 'partners' has no members", "kind: queue", id="a team without members"),
        pytest.param("teams.yml", "{person: elif}", "{person: eliff}", "teams.europe.members.0", "there is no person 'eliff'; did you mean 'elif'?", "", id="a member who does not exist"),
        pytest.param("teams.yml", "weight: 3", "weight: 0", "teams.us-midwest.members.1.weight", "found '0'", "greater than or equal to 1", id="no weight"),
        pytest.param("sources/webinar.yml", "Company: company", "Company: compny", "fields.Company", "there is no field 'compny'; did you mean 'company'?", "", id="a column read as an unknown field"),
        pytest.param("sources/webinar.yml", "Phone: phone", "Phone: email", "fields.Phone", "another column is read as 'email' already", "", id="two columns read as one field"),
        pytest.param("sources/webinar.yml", "{lead_source: Webinar}", "{lead_source: Webinarr}", "defaults.lead_source", "found 'Webinarr'", "Webinar", id="a default that is no choice"),
        pytest.param("sources/webinar.yml", "America/New_York", "America/Newyork", "timezone", "found 'America/Newyork'", "IANA", id="unknown zone"),
        pytest.param("sources/webinar.yml", "trust: 60", "trust: 60\nencoding: utf-99", "encoding", "found 'utf-99'", "cp1252", id="unknown encoding"),
        pytest.param("sources/webinar.yml", "trust: 60", "trust: 60\nname: seminar", "name", "found 'seminar'", "webinar", id="a name that is not the file's"),
        pytest.param("sources/webinar.yml", "trust: 60", "trust: 60\nignore: [Phone]", "ignore", "'Phone' is both read and ignored", "one of both", id="read and ignored"),
        pytest.param("sources/mailbox.yml", "trust: 55", "trust: 55\nattachments: partner-lits", "attachments", "there is no source 'partner-lits'; did you mean 'partner-list'?", "company-register", id="attachments for no source"),
        pytest.param("sources/mailbox.yml", "trust: 55", "trust: 55\nattachments: ../outside", "attachments", "there is no source '../outside'", "", id="attachments for a path"),
        pytest.param("sources/mailbox.yml", "trust: 55", "trust: 55\nattachments: typeform", "attachments", "'typeform' is of kind form", "a source of kind file", id="attachments for a form"),
        pytest.param("sources/webinar.yml", "trust: 60", "trust: 60\nattachments: partner-list", "attachments", "a source of kind file brings none", "mailbox", id="attachments of a file"),
        pytest.param("profiles/standard/profile.yml", "Europe/Berlin", "Berlin", "business_timezone", "found 'Berlin'", "", id="unknown business zone"),
    ],
)  # fmt: skip
def test_an_error_names_file_key_found_and_allowed(
    tmp_path: Path, file: str, old: str, new: str, key: str, found: str, allowed: str
) -> None:
    folder = edited(tmp_path, file, old, new)
    errors = [finding for finding in check_config(folder) if finding.severity == "error"]
    assert any(
        e.file == file and e.key == key and found in e.found and allowed in e.allowed and e.line for e in errors
    ), errors
    with pytest.raises(ConfigError) as refused:
        load_profile(folder, "standard")
    assert refused.value.where.startswith(f"{file}:")


def test_the_line_is_that_of_the_file(tmp_path: Path) -> None:
    folder = config(tmp_path, {"profiles/own/scoring.yml": "# mine\n\nclamp:\n  maximum: lots\n"})
    (finding,) = check_config(folder)
    assert finding.where == "profiles/own/scoring.yml:4: clamp.maximum"


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        pytest.param(SCORING, "contact: {cap: 15}", "contact: {}", "group 'contact' has no cap", id="group without cap"),
        pytest.param(SCORING, "groups:", "groups:\n  behaviour: {cap: 40}", "no signal is in the group 'behaviour'", id="group without signal"),
        pytest.param(SCORING, "maximum: 100", "maximum: 55", "band 'hot' starts at 60, the highest score is 55", id="a band out of reach"),
        pytest.param(ROUTING, "{employees: {at_least: 1000}, band: [warm, hot]}", "{}", "rule 'North America' is never reached: 'strategic accounts' takes all its leads", id="a rule after one that takes all"),
        pytest.param(ROUTING, "{country: [DE, AT, CH, LI]}", "{country: [US, CA, MX]}", "rule 'German-speaking countries' is never reached: 'North America' takes all its leads", id="the same condition twice"),
        pytest.param(ROUTING, "{country: US, state: [IL, IN, IA, KS, MI, MN, MO, NE, ND, OH, SD, WI]}", '{country: US, zip: {between: ["62500", "65000"]}}', "ZIP codes 62500 to 62999 are taken by an earlier rule", id="ZIP ranges overlap"),
        pytest.param("teams.yml", "members: [{person: ines}]", "members: [{person: amara}]", "'ines' is in no team", id="a person in no team"),
        pytest.param("teams.yml", "members: [{person: ines}]", "members: [{person: ines}, {person: tom}]", "'tom' is not active and is given no leads", id="an inactive member"),
        pytest.param("teams.yml", "elif.yildiz@example.com", "Ben.Whitfield@example.com", "'ben' and 'elif' have the same e-mail address", id="one address for two"),
    ],
)  # fmt: skip
def test_a_warning_stops_nothing(tmp_path: Path, file: str, old: str, new: str, found: str) -> None:
    folder = edited(tmp_path, file, old, new)
    findings = check_config(folder)
    assert {finding.severity for finding in findings} == {"warning"}
    assert found in [finding.found for finding in findings]
    load_profile(folder, "standard")


@pytest.mark.parametrize(
    ("files", "name", "message"),
    [
        pytest.param({}, "standrd", "there is no profile 'standrd'; did you mean 'standard'?", id="no such profile"),
        pytest.param({"profiles/own/profile.yml": "inherits: gone"}, "own", "there is no profile 'gone'", id="no such parent"),
        pytest.param({"profiles/a/profile.yml": "inherits: b", "profiles/b/profile.yml": "inherits: a"}, "a", "it inherits itself", id="a circle"),
        pytest.param({"profiles/own/scorring.yml": "a: 1"}, "own", "no such file belongs to a profile; did you mean 'scoring'?", id="a misspelt file"),
        pytest.param({"sources/expo.yaml": "kind: file"}, "standard", "its name does not end in .yml", id="another ending"),
        pytest.param({"sources/Expo 2026.yml": "kind: file"}, "standard", "found 'Expo 2026'", id="a name that is none"),
        pytest.param({"profiles/own/profile.yml": "inherits: [standard"}, "own", "expected ',' or ']'", id="a profile that is not YAML"),
        pytest.param({"profiles/own/profile.yml": "inherits: null"}, "own", "it is missing", id="nothing inherited, nothing stated"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_loaded_says_why(
    tmp_path: Path, files: dict[str, str], name: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?").replace("]", r"\]")):
        load_profile(config(tmp_path, files), name)


def test_a_folder_without_profiles_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it holds no profiles"):
        check_config(tmp_path)


def test_a_file_that_is_not_utf_8_is_said_plainly(tmp_path: Path) -> None:
    folder = config(tmp_path, {})
    (folder / "teams.yml").write_bytes("people: {zoë: {}}".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"teams\.yml: it is not UTF-8"):
        load_profile(folder, "standard")


def test_sources_are_named_after_their_files() -> None:
    sources = load_sources(SHIPPED)
    assert {name: source.name for name, source in sources.items()} == {name: name for name in sources}
    assert sources["partner-list"].fields["# Employees"] == "employees"
    assert sources["company-register"].organisation_only


def test_a_source_with_an_unknown_key_names_it(tmp_path: Path) -> None:
    folder = config(tmp_path, {"sources/expo.yml": "kind: file\non_match: {opn: flag}"})
    with pytest.raises(ConfigError, match=r"sources/expo.yml:2: on_match.opn: unknown key 'opn'; did you mean 'open'"):
        load_sources(folder)
