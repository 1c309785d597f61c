"""The fields of columns, and their usual names; those of numbers are in `feature_headers`.

This module imports nothing slow, because help texts list the fields.
"""

from collections.abc import Mapping
from typing import Final

FIELDS: Final = (
    *("id", "title", "artists", "artist_ids", "artist_count", "album", "release_date"),
    *("release_year", "popularity", "duration", "explicit", "isrc", "split", "licence"),
    *("genre", "subgenre", "playlist"),
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness"),
    *("instrumentalness", "liveness", "valence", "tempo", "time_signature"),
)
"""By the names that `--column` takes."""

NAMES: Final[Mapping[str, str]] = {
    "title": "trackname songname songtitle tracktitle name title song track musictitle"
    " mastermetadatatrackname titel titre título titolo canción chanson canzone música faixa"
    " tytuł название タイトル 曲名 歌名",
    "artists": "artists artistnames artistsnames artistsname trackartists allartists artistslist"
    " artistcredit artistcredits",
    "artist": "artistname trackartist artist performer mainartist primaryartist artistprimary"
    " leadartist singer band creator artisttext artistname1 artist1"
    " mastermetadataalbumartistname interpret künstler artiste artista artiest"
    " wykonawca исполнитель アーティスト 歌手",
    "artist_ids": "artistids idartists artistsids artistid artisturis artisturi artistsid"
    " artistsuri artisturls artisturl trackartistid spotifyartistid",
    "artist_count": "artistcount artistscount countartists numartists numberofartists nartists",
    "album": "albumname trackalbumname album albumtitle albumtext"
    " mastermetadataalbumalbumname releasename",
    "release_date": "trackalbumreleasedate albumreleasedate releasedate daterelease releaseddate"
    " firstreleasedate originalreleasedate"
    " released releaseyear releasedyear year jahr erscheinungsjahr année año anno ano",
    "release_year": "releaseyear releasedyear year albumreleaseyear jahr erscheinungsjahr année"
    " año anno ano",
    "release_month": "releasedmonth releasemonth",
    "release_day": "releasedday releaseday",
    "explicit": "explicit trackexplicit isexplicit explicitlyrics explicitclean",
    "isrc": "isrc trackisrc externalidsisrc isrccode",
    "split": "split",
    "licence": "licence license licenceurl licenseurl licenceccurl licenseccurl",
    "subgenre": "playlistsubgenre",
    "playlist": "playlistid playlisturi playlisturl playlistname playlist playlisttitle",
}
"""The names of each field, letters and digits only, in order of preference."""
