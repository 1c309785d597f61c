"""Which disputed track is next, and what undo takes back."""

from web.labelling_sessions import HOLD_SECONDS, MAX_DECISIONS, Decision, LabellingSessions


def test_two_people_never_get_the_same_track():
    labelling = LabellingSessions()
    tracks = range(1, 21)
    turns = {"ann": [], "bo": []}
    labelled = set()
    for turn in range(20):
        for person, seen in turns.items():
            open_tracks = [track for track in tracks if track not in labelled]
            track = labelling.next_track(person, open_tracks, float(turn))
            if track is None:
                continue
            seen.append(track)
            labelling.record(person, Decision(track, "rock"))
            labelled.add(track)
    assert sorted(turns["ann"] + turns["bo"]) == list(tracks)


def test_a_hold_ends_after_some_minutes_and_is_kept_for_its_holder():
    labelling = LabellingSessions()
    assert labelling.next_track("ann", [1, 2], 0.0) == 1
    assert labelling.next_track("bo", [1, 2], 1.0) == 2
    assert labelling.next_track("ann", [1, 2], 2.0) == 1
    assert labelling.next_track("eve", [1, 2], 3.0) is None
    assert labelling.next_track("eve", [1, 2], HOLD_SECONDS + 3.0) == 1


def test_a_person_holds_one_track_only():
    labelling = LabellingSessions()
    labelling.next_track("ann", [1], 0.0)
    labelling.next_track("ann", [2], 1.0)
    assert labelling.next_track("bo", [1, 2], 2.0) == 1


def test_undo_takes_back_labels_and_skips_in_reverse():
    labelling = LabellingSessions()
    decisions = [Decision(1, "rock"), Decision(2), Decision(3, "jazz")]
    for decision in decisions:
        labelling.record("ann", decision)
    assert labelling.next_track("ann", [2], 0.0) is None
    assert [labelling.take_back("ann") for _ in range(4)] == [*reversed(decisions), None]
    assert labelling.next_track("ann", [2], 0.0) == 2
    assert labelling.take_back("bo") is None


def test_a_skip_is_one_persons():
    labelling = LabellingSessions()
    labelling.record("ann", Decision(1))
    assert labelling.next_track("bo", [1], 0.0) == 1


def test_few_decisions_are_remembered():
    labelling = LabellingSessions()
    for number in range(MAX_DECISIONS + 5):
        labelling.record("ann", Decision(number, "rock"))
    assert [one.track_id for one in labelling.latest("ann", 2)] == [204, 203]
    for _ in range(MAX_DECISIONS):
        assert labelling.take_back("ann") is not None
    assert labelling.take_back("ann") is None
