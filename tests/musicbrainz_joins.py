"""What an import of a made-up dump of MusicBrainz keeps: its tables, joined in memory."""

from collections import defaultdict

from benchmarks.synthetic_dumps import TAGS
from collector.datasets.dumps import musicbrainz
from collector.records import Level


class Joined:
    """The tables of the dump, joined in memory."""

    def __init__(self, made):
        self.rows = {table: list(made.rows(table)) for table in musicbrainz.COLUMNS}
        self.artists = defaultdict(list)
        for credit, _, artist, *_ in self.rows["artist_credit_name"]:
            self.artists[credit].append(artist)
        gids = {row[0]: row[1] for row in self.rows["artist"]}
        self.various = {one for one, gid in gids.items() if gid == musicbrainz.VARIOUS_ARTISTS}
        self.group_of = {row[0]: row[4] for row in self.rows["release"]}
        self.groups_of = self._groups()
        tags = {table: self._votes(table) for table in musicbrainz.DERIVED - {"tag"}}
        self.recording_votes, self.artist_votes = tags["recording_tag"], tags["artist_tag"]
        self.group_votes = tags["release_group_tag"]
        for release, votes in tags["release_tag"].items():
            of_group = self.group_votes.setdefault(self.group_of[release], {})
            for tag, count in votes.items():
                of_group[tag] = of_group.get(tag, 0) + count

    def _groups(self):
        """Recording -> release groups, without compilations."""
        release_of = {row[0]: row[1] for row in self.rows["medium"]}
        groups_of = defaultdict(set)
        for row in self.rows["track"]:
            if row[-1] == "f":
                groups_of[row[2]].add(self.group_of[release_of[row[3]]])
        compilations = {
            row[0]
            for row in self.rows["release_group"]
            if self.various & set(self.artists[row[3]])
        }
        return {one: groups - compilations for one, groups in groups_of.items()}

    def _votes(self, table):
        """Entity -> tag -> votes, of at least one."""
        votes = defaultdict(dict)
        for entity, tag, count, _ in self.rows[table]:
            if count > 0:
                votes[entity][TAGS[tag - 1]] = count
        return votes

    def support(self, recording, credit):
        """Tag -> (level, -votes), as it is supported best."""
        given = [(Level.RECORDING, self.recording_votes[recording])]
        given += [
            (Level.RELEASE, self.group_votes.get(one, {}))
            for one in self.groups_of.get(recording, ())
        ]
        summed = defaultdict(int)
        for artist in set(self.artists[credit]) - self.various:
            for tag, count in self.artist_votes[artist].items():
                summed[tag] += count
        given.append((Level.ARTIST, summed))
        support = {}
        for level, votes in given:
            for tag, count in votes.items():
                support[tag] = min((level, -count), support.get(tag, (level, -count)))
        support.pop("", None)
        return support


def expected_sightings(made, genres):
    """MBID -> genre of `genres` -> (rank, votes, level), of a `MusicBrainzDump`."""
    joined, expected = Joined(made), {}
    for number, gid, _, credit, *_, video in joined.rows["recording"]:
        support = joined.support(number, credit)
        ours = {
            genre: (
                sum(other < support[genre.lower()] for other in support.values()),
                -support[genre.lower()][1],
                support[genre.lower()][0],
            )
            for genre in genres
            if genre.lower() in support
        }
        if ours and credit and video == "f":
            expected[gid] = ours
    return expected
