"""Owners, turns and actions, through the database: everybody has one, fairly, once."""

from __future__ import annotations

import pytest

from tests.desk import Desk

GERMANS = "full_name,email,country\n" + "".join(f"Ivo Horak,ivo.{n}@horak.example,DE\n" for n in range(40))


@pytest.mark.both_servers
def test_every_lead_has_an_owner_or_a_queue(desk: Desk) -> None:
    """S002-23: existing owner, rules, turns, and the catch-all."""
    desk.take(
        "full_name,email,country,zip,employees,title\n"
        "Anna Petrova,anna@acme.example,US,60601,,\n"
        "Bo Lee,bo@lee.example,Germany,,,\n"
        "Zoë de Groot,zoe@degroot.example,,,,\n"
        "Ivo Horak,ivo@horak.example,US,10001,5000,CEO\n"
    )
    assert desk.ask("select a.team, a.owner is not null, a.rule from assignments a order by row_number") == [
        ("us-midwest", True, "Chicago and Illinois"),
        ("dach", True, "German-speaking countries"),
        ("intake-desk", False, "otherwise"),
        ("strategic", True, "strategic accounts"),
    ]
    desk.whole()


@pytest.mark.parametrize("rows", [1, 7, 5_000])
def test_turns_are_fair_across_slices_and_files(desk: Desk, rows: int) -> None:
    """S002-25: daniel has weight 1, hannah weight 2; of 61 leads neither is more than one turn ahead."""
    desk = desk.with_slices(rows)
    desk.take(GERMANS)
    desk.take(GERMANS.replace("ivo.", "eva.").partition("eva.20@")[0].rpartition("\n")[0] + "\n")
    desk.take("full_name,email,country\nMarie Duval,marie@duval.example,AT\n")
    turns = dict(desk.ask("select owner, count(*) from leads group by 1"))
    assert sum(turns.values()) == 61
    levels = [turns["daniel"] / 1, turns["hannah"] / 2]
    assert max(levels) - min(levels) <= 1
    assert dict(desk.ask("select person, level from rotas where team = 'dach'")) == pytest.approx(
        dict(zip(("daniel", "hannah"), levels, strict=True))
    )


def test_somebody_away_is_passed_over_and_not_flooded_later(desk: Desk) -> None:
    """S002-25: availability."""
    desk.do("insert into absences values ('hannah', now() - interval '1 day', now() + interval '1 day', 'holiday')")
    desk.take(GERMANS)
    assert desk.ask("select distinct owner from leads") == ["daniel"]
    assert all("hannah:away" in candidates for candidates in desk.ask("select candidates from assignments"))
    desk.do("delete from absences")
    desk.take(GERMANS.replace("ivo.", "eva."))
    later = dict(desk.ask("select owner, count(*) from leads where identity_key like 'mail:eva%%' group by 1"))
    assert abs(later["daniel"] - later["hannah"] / 2) <= 1


def test_the_owner_stays_when_a_lead_comes_again(desk: Desk) -> None:
    desk.take(GERMANS)
    before = desk.ask("select lead_id, owner, team from leads order by 1")
    desk.take(
        "full_name,email,country,title\n" + "".join(f"Ivo Horak,ivo.{n}@horak.example,US,CEO\n" for n in range(40))
    )
    assert desk.ask("select lead_id, owner, team from leads order by 1") == before
    assert desk.ask("select count(*) from assignments") == [40]
    desk.whole()


def test_an_owner_that_the_source_names_is_kept(desk: Desk) -> None:
    content = (
        "full_name,email,owner_given\nAnna Petrova,anna@acme.example,Hannah Vogel\nBo Lee,bo@lee.example,Nobody Here\n"
    )
    desk.take(content)
    assert desk.ask("select owner, team from leads order by full_name") == [("hannah", "dach"), (None, "intake-desk")]
    assert desk.ask("select warnings from touches where row_number = 2") == [["owner_given:unknown"]]


HOT = (
    "full_name,email,phone,title,employees,industry,lead_source,timeline,country\n"
    "Anna Petrova,anna@acme.example,+1 202-555-0143,CEO,1200,Software,Referral,immediately,US\n"
    "Bo Lee,bo@lee.example,,Trainee,,,,,\n"
)


def test_a_band_acts_once(desk: Desk) -> None:
    """S000-23, S000-24: whether the rows come again, or the content is imported anew."""
    path = desk.file(HOT)
    desk.take(path)
    fired = desk.ask("select action, owner is not null, due_at - created_at < interval '25 hours' from activities")
    assert fired == [("call within 24 h", True, True)]
    assert desk.ask("select band from leads order by full_name") == ["hot", "nurture"]
    desk.take(path, again=True)
    desk.take(HOT.replace("Bo Lee", "BO LEE"))
    assert desk.ask("select count(*) from activities") == [1]
    desk.take("full_name,email,title,employees\nBo Lee,bo@lee.example,CEO,1200\n")
    assert desk.ask("select action from activities order by activity_id") == [
        "call within 24 h",
        "follow up within 3 days",
    ]
    desk.whole()


def test_scores_add_up_line_by_line(desk: Desk) -> None:
    desk.take(HOT)
    ((signals, points, score),) = desk.ask("select score_signals, score_points, score from leads where band = 'hot'")
    assert sum(points) == score and len(signals) == len(points)
    assert "C-level" in signals


def test_a_lead_of_the_queue_that_comes_again_with_its_owner_is_theirs(desk: Desk) -> None:
    desk.take("full_name,email,country\nAnna Schmidt,anna@acme.example,JP\n")
    assert desk.ask("select owner is null from leads") == [True]
    desk.take("full_name,email,country,owner_given\nAnna Schmidt,anna@acme.example,JP,hannah\n")
    assert desk.ask("select owner from leads") == ["hannah"]
    assert desk.whole()


def test_a_flagged_duplicate_is_not_called_a_second_time(desk: Desk) -> None:
    """S000-24, S000-27."""
    desk = desk.with_source("files", on_match={"open": "flag"})
    row = "Anna Schmidt,anna@acme.example,CEO,DE,+49 30 23125 001,500\n"
    desk.take(f"full_name,email,title,country,phone,employees\n{row}{row}")
    assert desk.ask("select count(*) from leads") == [2]
    assert desk.ask("select count(*), count(distinct lead_id) from activities") == [(1, 1)]
