"""Translate the headers of Exportify's tables, which are in its user's language. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.datasets.formats.table import plain_name

_ENGLISH: Final = (
    "Track URI|Track Name|Artist URI(s)|Artist Name(s)|Album URI|Album Name"
    "|Album Artist URI(s)|Album Artist Name(s)|Album Release Date|Track Duration (ms)"
    "|Explicit|Popularity|Album Genres|Label|Artist Genres|Danceability|Energy|Key"
    "|Loudness|Mode|Speechiness|Acousticness|Instrumentalness|Liveness|Valence|Tempo"
    "|Time Signature"
)
_TRANSLATIONS: Final = (
    (  # German
        "Track-URI|Track-Name|Künstler-URI(s)|Künstlername(n)|Album-URI|Album-Name"
        "|Album-Künstler-URI(s)|Album-Künstlername(n)|Veröffentlichungsdatum des Albums"
        "|Track-Dauer (ms)|Explizit|Beliebtheit|Album-Genres|Label|Künstler-Genres"
        "|Tanzbarkeit|Energie|Tonart|Lautstärke|Modus|Sprachanteil|Akustik"
        "|Instrumentalität|Lebendigkeit|Valenz|Tempo|Taktart"
    ),
    (  # French
        "URI du titre|Nom du titre|URI(s) de l'artiste|Nom(s) de l'artiste"
        "|URI de l'album|Nom de l'album|URI(s) de l'artiste de l'album"
        "|Nom(s) de l'artiste de l'album|Date de sortie de l'album|Durée du titre (ms)"
        "|Explicite|Popularité|Genres de l'album|Label|Genres de l'artiste|Danseabilité"
        "|Énergie|Tonalité|Volume sonore|Mode|Parlabilité|Acoustique|Instrumental"
        "|Vivacité|Valence|Tempo|Mesure"
    ),
    (  # Spanish
        "URI de la canción|Nombre de la canción|URI(s) del artista"
        "|Nombre(s) del artista|URI del álbum|Nombre del álbum"
        "|URI(s) del artista del álbum|Nombre(s) del artista del álbum"
        "|Fecha de lanzamiento del álbum|Duración de la canción (ms)|Explícito"
        "|Popularidad|Géneros del álbum|Sello|Géneros del artista|Bailabilidad|Energía"
        "|Tonalidad|Volumen|Modo|Hablado|Acústica|Instrumentalidad|Vivacidad|Valencia"
        "|Tempo|Compás"
    ),
    (  # Italian
        "URI della traccia|Nome della traccia|URI dell'artista|Nome dell'artista"
        "|URI dell'album|Nome dell'album|URI dell'artista dell'album"
        "|Nome dell'artista dell'album|Data di rilascio dell'album"
        "|Durata della traccia (ms)|Esplicito|Popolarità|Generi dell'album|Etichetta"
        "|Generi dell'artista|Ballabilità|Energia|Chiave|Volume|Modalità"
        "|Linguaggio parlato|Acustica|Strumentalità|Vivacità|Valenza|Tempo|Battuta"
    ),
    (  # Portuguese
        "URI da faixa|Nome da faixa|URI(s) do artista|Nome(s) do artista|URI do álbum"
        "|Nome do álbum|URI(s) do artista do álbum|Nome(s) do artista do álbum"
        "|Data de lançamento do álbum|Duração da faixa (ms)|Explícita|Popularidade"
        "|Gêneros do álbum|Gravadora|Gêneros do artista|Dançabilidade|Energia"
        "|Tonalidade|Volume|Modo|Oralidade|Acústica|Instrumentalidade|Vivacidade"
        "|Valência|Tempo|Compasso"
    ),
    (  # Dutch
        "Nummer URI|Nummernaam|Artiest-URI|Naam van artiest|Album-URI|Naam van album"
        "|Artiest-URI van het album|Naam van artiest op het album"
        "|Releasedatum van het album|Nummerduur (ms)|Expliciet|Populariteit"
        "|Genres van het album|Label|Genres van de artiest|Dansbaarheid|Energie"
        "|Toonsoort|Luidheid|Modus|Spraakzaamheid|Akoestiek|Instrumentaliteit"
        "|Levendigheid|Valentie|Tempo|Maatstreep"
    ),
    (  # Swedish
        "Låtens URI|Låtens namn|Artistens URI|Artistens namn|Albumets URI|Albumets namn"
        "|Albumartistens URI|Albumartistens namn|Albumets releasedatum|Låtlängd (ms)"
        "|Explicit|Popularitet|Albumets genrer|Skivbolag|Artistens genrer|Dansbarhet"
        "|Energi|Tonart|Ljudstyrka|Läge|Talighet|Akustik|Instrumentalhet|Livlighet"
        "|Valens|Tempo|Taktart"
    ),
    (  # Turkish
        "Parça URI|Parça Adı|Sanatçı URI|Sanatçı Adı|Albüm URI|Albüm Adı"
        "|Albümdeki Sanatçı URI|Albümdeki Sanatçı Adı|Albüm Çıkış Tarihi"
        "|Parça Süresi (ms)|Açık İçerik|Popülerlik|Albüm Türleri|Plak Şirketi"
        "|Sanatçı Türleri|Dans Edilebilirlik|Enerji|Ton|Ses Seviyesi|Mod|Konuşma Oranı"
        "|Akustiklik|Enstrümantalite|Canlılık|Duygusallık|Tempo|Ölçü İşareti"
    ),
    (  # Greek
        "URI κομματιού|Όνομα κομματιού|URI καλλιτέχνη/ων|Όνομα/τα καλλιτέχνη"
        "|URI άλμπουμ|Όνομα άλμπουμ|URI καλλιτέχνη/ων άλμπουμ"
        "|Όνομα/τα καλλιτέχνη άλμπουμ|Ημερομηνία κυκλοφορίας άλμπουμ"
        "|Διάρκεια κομματιού (ms)|Ακατάλληλο|Δημοτικότητα|Είδη άλμπουμ|Εταιρεία"
        "|Είδη καλλιτέχνη|Χορευτικότητα|Ενέργεια|Τονικότητα|Ένταση|Τρόπος|Ομιλητικότητα"
        "|Ακουστικότητα|Οργανοκεντρικότητα|Ζωντάνια|Θετικότητα|Ρυθμός|Μέτρο"
    ),
    (  # Japanese
        "トラックURI|トラック名|アーティストURI|アーティスト名|アルバムURI|アルバム名|アルバムアーティストURI|アルバムアーティスト名"
        "|アルバム発売日|トラックの長さ（ミリ秒）|明示的な内容|人気度|アルバムジャンル|レーベル|アーティストジャンル|ダンサビリティ|エネルギー|キー"
        "|ラウドネス|モード|スピーチ性|アコースティック性|インストゥルメンタル性|ライブ感|感情値|テンポ|拍子"
    ),
    (  # Arabic
        "رابط الأغنية (URI)|اسم الأغنية|روابط الفنانين (URI)|أسماء الفنانين"
        "|رابط الألبوم (URI)|اسم الألبوم|روابط فناني الألبوم (URI)|أسماء فناني الألبوم"
        "|تاريخ إصدار الألبوم|مدة الأغنية (بالمللي ثانية)|صريح|الشعبية|أنواع الألبوم"
        "|العلامة التجارية|أنواع الفنان|قابلية الرقص|الطاقة|المفتاح|مستوى الصوت|النمط"
        "|محتوى الكلام|الطابع الصوتي|الطابع الآلي|الحيوية|الإيجابية|الإيقاع|توقيع الزمن"
    ),
)
_LANGUAGES: Final[Sequence[Mapping[str, str]]] = tuple(
    dict(zip(map(plain_name, names.split("|")), _ENGLISH.split("|"), strict=True))
    for names in _TRANSLATIONS
)
_OTHER_WORDS: Final = frozenset(
    map(plain_name, ("Volume", "Volumen", "Mode", "Mod", "Ton", "Läge"))
)
"""Names of features that mean something else in other tables."""
_FIRST_FEATURE: Final = "Danceability"
_FEATURES: Final = {
    name: english
    for names in _LANGUAGES
    for name, english in names.items()
    if name not in _OTHER_WORDS
    and english in _ENGLISH.split("|")[_ENGLISH.split("|").index(_FIRST_FEATURE) :]
}
"""The names of features in all languages, which other tables have, too."""
_MIN_NAMES: Final = 2
"""Minimum of names of one language in a header; title or artist must be among them."""


def translate_header(header: Sequence[str]) -> list[str]:
    """Return a header with Exportify's names in English.

    Of other headers, the names of features are translated.
    """
    keys = [plain_name(name) for name in header]
    for names in _LANGUAGES:
        english = [names.get(key) for key in keys]
        is_named = "Track Name" in english or "Artist Name(s)" in english
        if is_named and sum(name is not None for name in english) >= _MIN_NAMES:
            return [name or given for name, given in zip(english, header, strict=True)]
    return [_FEATURES.get(key, name) for key, name in zip(keys, header, strict=True)]
