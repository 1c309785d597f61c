"""The built-in genre mapping: fine genre names in 13 broad genres.

It has the 114 names of the largest published dataset of this kind, and other datasets' names.
It is part of the view `genre_mappings`, not of the data: a mapping of this name in the table
`genre_mapping` replaces it.
"""

from typing import Final

NAME: Final = "genrebase-13"

_GROUPS: Final = {
    "classical": "classical, opera, piano",
    "electronic": "ambient, big room, breakbeat, chicago-house, club, dance, deep-house, "
    "detroit- techno, drum-and-bass, dubstep, edm, electro, electro house, "
    "electronic, garage, hardstyle, house, idm, industrial, j-dance, "
    "minimal-techno, pop edm, progressive electro house, progressive-house, "
    "techno, trance, trip-hop",
    "folk & country": "acoustic, bluegrass, country, folk, honky-tonk, singer-songwriter, "
    "songwriter",
    "hip-hop & soul": "disco, funk, gangster rap, gospel, groove, hip pop, hip-hop, neo soul, "
    "new jack swing, r-n-b, rap, soul, southern hip hop, trap, urban "
    "contemporary",
    "jazz & blues": "blues, jazz",
    "latin": "bossa nova, brazil, forro, latin, latin hip hop, latin pop, latino, "
    "mpb, pagode, reggaeton, salsa, samba, sertanejo, spanish, tango, "
    "tropical",
    "metal": "black-metal, death-metal, grindcore, heavy-metal, metal, metalcore",
    "mood & stage": "anime, children, chill, comedy, disney, happy, kids, new-age, party, "
    "pop-film, romance, sad, show-tunes, sleep, study",
    "pop": "cantopop, dance pop, electropop, indie poptimism, indie-pop, j-idol, "
    "j-pop, k-pop, mandopop, pop, post-teen pop, power-pop, synth-pop",
    "punk": "emo, hardcore, punk, punk-rock",
    "reggae": "dancehall, dub, reggae, ska",
    "rock": "album rock, alt-rock, alternative, british, classic rock, goth, "
    "grunge, guitar, hard-rock, indie, j-rock, permanent wave, psych-rock, "
    "rock, rock-n-roll, rockabilly",
    "world": "afrobeat, french, german, indian, iranian, malay, swedish, turkish, world-music",
}

BROAD_BY_FINE: Final = {
    fine: broad for broad, names in _GROUPS.items() for fine in names.split(", ")
}
"""Fine genre to broad genre."""
