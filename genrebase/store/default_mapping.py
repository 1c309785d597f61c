"""The mapping that is there from the start: 114 genre names in 13 groups.

The names are those of the largest published dataset of this kind, and so of many collections. It
is part of the view `genre_mappings`, not of the data: a mapping of this name in the table
`genre_mapping` takes its place.
"""

from typing import Final

NAME: Final = "genrebase-13"

_GROUPS: Final = {
    "classical": "classical, opera, piano",
    "electronic": "ambient, breakbeat, chicago-house, club, dance, deep-house, detroit-techno, "
    "drum-and-bass, dubstep, edm, electro, electronic, garage, hardstyle, house, idm, "
    "industrial, j-dance, minimal-techno, progressive-house, techno, trance, trip-hop",
    "folk & country": "acoustic, bluegrass, country, folk, honky-tonk, singer-songwriter, "
    "songwriter",
    "hip-hop & soul": "disco, funk, gospel, groove, hip-hop, r-n-b, soul",
    "jazz & blues": "blues, jazz",
    "latin": "brazil, forro, latin, latino, mpb, pagode, reggaeton, salsa, samba, sertanejo, "
    "spanish, tango",
    "metal": "black-metal, death-metal, grindcore, heavy-metal, metal, metalcore",
    "mood & stage": "anime, children, chill, comedy, disney, happy, kids, new-age, party, "
    "pop-film, romance, sad, show-tunes, sleep, study",
    "pop": "cantopop, indie-pop, j-idol, j-pop, k-pop, mandopop, pop, power-pop, synth-pop",
    "punk": "emo, hardcore, punk, punk-rock",
    "reggae": "dancehall, dub, reggae, ska",
    "rock": "alt-rock, alternative, british, goth, grunge, guitar, hard-rock, indie, j-rock, "
    "psych-rock, rock, rock-n-roll, rockabilly",
    "world": "afrobeat, french, german, indian, iranian, malay, swedish, turkish, world-music",
}

BROAD_OF: Final = {fine: broad for broad, names in _GROUPS.items() for fine in names.split(", ")}
"""Fine genre to broad genre."""
