"""Word lists for synthetic titles and names."""

from collections.abc import Mapping, Sequence
from typing import Final


def _words(text: str) -> Sequence[str]:
    return tuple(text.split())


COMMON_WORDS: Final = _words(
    "love night heart time fire rain dream home light road sun moon day world life eyes river "
    "sky summer blue baby tonight forever again alone away back better break call chance change "
    "city cold come crazy dance dark deep down end every fall feel find free girl gone good "
    "heaven hold hope high hurt kiss know last lonely lost mind more morning mother never one "
    "over peace people place run secret shine sing sleep slow smile song sorry soul stay still "
    "stone stop story street strong sugar sweet talk tears tell think touch true turn walk wall "
    "want water way wild wind wings winter wish woman wonder words young"
)

GENRE_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "rap": _words(
        "hustle block crown drip ice trap money flex chain corner grind cypher boss realest "
        "paper whip savage bars hood mob plug sauce struggle champion paid homies"
    ),
    "rock": _words(
        "highway thunder rebel electric runaway radio revolution highschool wheels gasoline "
        "outlaw jukebox garage stranger satellite fever leather avenue guitar amplifier"
    ),
    "metal": _words(
        "blood iron throne ashes doom serpent wrath blackened void slaughter reaper abyss "
        "hammer crucified eternal skull inferno plague wolf obsidian ritual torment"
    ),
    "blues": _words(
        "crossroads whiskey mojo levee delta boogie juke moanin' freight bourbon preacher "
        "hoodoo cotton shack stormy backdoor broke troubled mississippi jailhouse"
    ),
    "jazz": _words(
        "autumn stompin' blue-note minor swing bop lullaby round midnight ballad waltz mood "
        "velvet stardust satin prelude uptown birdland groovin' caravan nocturnal"
    ),
    "classical": _words(
        "aria gavotte requiem largo pastorale berceuse barcarolle elegy fantasia "
        "intermezzo overture rondo scherzo serenade sarabande toccata gigue minuet"
    ),
    "funk": _words(
        "groove funky bounce strut jam boogie brass slap mothership super stank get-up "
        "disco sexy machine shake bump wiggle party clap thang platform"
    ),
    "techno": _words(
        "warehouse acid modular signal pulse kinetic circuit berlin grid phase oscillate "
        "concrete loop hypnosis tunnel sequence module 303 strobe raw resonance"
    ),
    "electronic": _words(
        "neon synthetic horizon pixel aurora gravity digital hologram lightyears "
        "vapor sunset escape drift static chrome parallel orbit wavelength prism"
    ),
    "r&b": _words(
        "body lover slow jam touch pillow sheets tender silky ex boo faithful intimate "
        "chemistry loyal missing bedroom whisper cuffing honey sensual"
    ),
}
"""Typical words of a genre's titles."""

ARTIST_NAME_PATTERNS: Final[Mapping[str, Sequence[str]]] = {
    "rap": ("Lil {s}", "Young {s}", "MC {s}", "{s} Da {w}", "Big {s}", "{s} {s}", "{s}"),
    "rock": ("The {w}s", "{w} {s}", "{s} & the {w}s", "The {s} {w}", "{f} {s}", "{s}"),
    "metal": ("{s}{w}", "{s}", "{w} of {s}", "{s}'s {w}", "Order of the {w}", "{w} {s}"),
    "blues": ("{f} '{w}' {s}", "Blind {f} {s}", "{f} {s}", "{f} {s} Blues Band", "Mama {s}"),
    "jazz": ("{f} {s}", "{f} {s} Quartet", "{f} {s} Trio", "The {s} {w} Orchestra", "{f} {s}"),
    "classical": ("{f} {s}", "{f} von {s}", "{s} Philharmonic", "{s} String Quartet", "{f} {s}"),
    "funk": ("{s} & the {w}s", "The {w} Machine", "{w} Brothers", "{f} {s}", "{s} Collective"),
    "techno": ("{s}", "{s} {n}", "DJ {s}", "{f} {s}", "{w}.{n}", "{s} & {s}"),
    "electronic": ("{s}", "{w}{n}", "{s} {w}", "{w} Club", "{f} {s}", "{s}"),
    "r&b": ("{f} {s}", "{f}", "{s}", "{f} {w}", "Boys of {s}", "{f} {s}"),
}
"""Patterns: {s} is a made-up word, {w} a word, {f} a first name, {n} a number."""

FIRST_NAMES: Final = _words(
    "Ada Amos Anna Aretta Art Bea Ben Bessie Bobby Carla Cecil Clara Coleman Dara Della Dexter "
    "Dinah Duke Earl Edda Elmo Elsa Enzo Erik Etta Fay Felix Fritz Gene Gil Gloria Hank Hazel "
    "Horace Ida Igor Ines Irma Ivo Jana Jasper Joni Jules Kai Kira Lars Lena Leon Leroy Lotte "
    "Lou Luisa Lyle Mabel Mack Marla Max Mia Milo Mona Muddy Nadia Nell Nico Nina Noa Odell Olga "
    "Oscar Otis Pablo Pearl Percy Quincy Rae Ray Rita Roy Ruth Sade Sam Selma Sonny Tessa Theo "
    "Tina Uma Vera Vito Wade Wanda Willa Yara Zoe"
)

SYLLABLES: Final = _words(
    "ba be bo bra cal can cor da del den do dra el en fa fer fin ga gor gra ha hel hen in jo ka "
    "kel kor la len lo lu ma mar mel mi mo na nel no or pa per pol ra ren ri ro sa sel sen so ta "
    "tel ten ti to tra va vel ven vi vor wa wil xan ya zan ze zo"
)

NON_ENGLISH_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "JP": _words(
        "夜 恋 夏 花 海 東京 涙 雨 星 風 心 桜 未来 さよなら ありがとう きみ ひかり ゆめ "
        "メロディ ロック ブルー ダンス 世界 青春 月光"
    ),
    "KR": _words("사랑 밤 꿈 별 바람 비 너 나의 안녕 하늘 바다 눈물 오늘 내일 마음 여름 겨울 빛"),
    "RU": _words(
        "ночь любовь дождь звезда мечта ветер город сердце огонь небо дорога снег весна река "
        "тишина свет"
    ),
    "GR": _words("νύχτα αγάπη θάλασσα καρδιά όνειρο φως ουρανός βροχή άνεμος δρόμος ψυχή"),
    "EG": _words("ليل حب قمر بحر قلب حلم شمس ريح مدينة روح سماء نور"),
    "BR": _words("saudade coração noite amanhã canção estrela você paixão ilusão manhã solidão"),
}
"""Words of other languages, by country of the recording."""

WRITTEN_WITHOUT_SPACES: Final = frozenset({"JP"})
"""Countries whose language separates no words by spaces."""

KEYS: Final = _words("C D-flat D E-flat E F F-sharp G A-flat A B-flat B")
FORMS: Final = _words("Sonata Concerto Symphony Prelude Étude Suite Quartet Nocturne")
MOVEMENTS: Final = _words("Allegro Andante Adagio Presto Largo Vivace Moderato")
NUMERALS: Final = _words("I II III IV")
