//! Which words carry meaning, for a handful of languages.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// What a word does in a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Carries meaning.
    Content,
    /// Ties content words together; stays between them, never at an edge.
    Connector,
    /// A connector that can be left out when room is short.
    Article,
    /// Ends a phrase: pronouns, auxiliaries, question words, greetings.
    Breaker,
    /// Dropped at the begin of a phrase: "tell", "explain", "want". Inside it carries meaning.
    Opener,
    /// Dropped everywhere, without ending the phrase.
    Filler,
}

/// The words of one language that are not plain content. All in lower case, separated by spaces.
pub(crate) struct Lexicon {
    articles: &'static str,
    connectors: &'static str,
    breakers: &'static str,
    openers: &'static str,
    fillers: &'static str,
    /// Content words that say little.
    weak: &'static str,
}

impl Lexicon {
    /// The language whose small words the text has most of; English when none is ahead.
    pub(crate) fn of<'a>(words: impl Iterator<Item = &'a str>) -> &'static Lexicon {
        Self::with_small_words(words).0
    }

    /// The language of the text as by [`of`](Self::of), and its small words.
    pub(crate) fn with_small_words<'a>(
        words: impl Iterator<Item = &'a str>,
    ) -> (&'static Lexicon, &'static HashSet<&'static str>) {
        static LANGUAGES: OnceLock<[(&Lexicon, HashSet<&'static str>); LEXICONS.len()]> = OnceLock::new();
        let languages = LANGUAGES.get_or_init(|| LEXICONS.map(|lexicon| (lexicon, lexicon.small_words())));
        let mut counts = [0_usize; LEXICONS.len()];
        for word in words.take(2_000) {
            for (count, (_, small_words)) in counts.iter_mut().zip(languages) {
                *count += usize::from(small_words.contains(word));
            }
        }
        let [english, ..] = languages;
        let mut best = (0, english);
        for (count, language) in counts.into_iter().zip(languages) {
            if count > best.0 {
                best = (count, language);
            }
        }
        (best.1.0, &best.1.1)
    }

    /// What each lower-case word does. Words that are not in the table are content.
    pub(crate) fn table(&self) -> HashMap<&'static str, Kind> {
        let lists = [
            (self.articles, Kind::Article),
            (self.connectors, Kind::Connector),
            (self.breakers, Kind::Breaker),
            (GREETINGS, Kind::Breaker),
            (self.openers, Kind::Opener),
            (self.fillers, Kind::Filler),
        ];
        let mut table = HashMap::new();
        for (list, kind) in lists {
            for word in list.split_ascii_whitespace() {
                // The first list that has a word decides.
                table.entry(word).or_insert(kind);
            }
        }
        table
    }

    /// Whether a content word says little.
    pub(crate) fn is_weak(&self, word: &str) -> bool {
        self.weak.split_ascii_whitespace().any(|known| known == word)
    }

    fn small_words(&self) -> HashSet<&'static str> {
        let lists = [self.articles, self.connectors, self.breakers, self.fillers];
        lists.into_iter().flat_map(str::split_ascii_whitespace).collect()
    }
}

/// Greetings in any language, because people mix them.
const GREETINGS: &str = "hey hi hello hallo hoi moin bonjour salut hola ciao thanks thx please pls danke bitte \
    merci gracias bedankt";

/// English first: it wins ties.
const LEXICONS: [&Lexicon; 5] = [&ENGLISH, &GERMAN, &FRENCH, &SPANISH, &DUTCH];

static ENGLISH: Lexicon = Lexicon {
    articles: "a an the",
    connectors: "of for with and or nor in on at to from by about between versus vs as into over under against \
        without within per via after before during through than",
    breakers: "i you he she it we they me him her us them this that these those there here who whom whose which \
        what when where why how is are was were be been being am do does did doing done have has had \
        having can could will would shall should may might must if then because while although though \
        since so but thank yes no ok okay well i'm i've i'd i'll it's that's what's where's who's how's \
        let's there's you're we're they're gonna im ive whats keeps gets",
    openers: "tell show give explain describe help need want like love wanna know wonder wondering looking look \
        try trying ask asking question say think guess mean suggest recommend provide get getting got let going \
        anyone someone something anything morning afternoon evening user assistant human dear team everyone",
    fillers: "my your our his their its some any just really very quite also actually basically simply maybe \
        perhaps kindly quickly currently still already too more anymore",
    weak: "good best great nice new use using make making work working works way thing things one lot time fix problem",
};

static GERMAN: Lexicon = Lexicon {
    articles: "der die das den dem des ein eine einen einem einer eines",
    connectors: "und oder für mit von vom zu zum zur im in am an auf aus bei nach über unter zwischen ohne gegen \
        um als",
    breakers: "ich du er sie es wir ihr mich dich mir dir uns euch ihm ihn ihnen dies diese dieser dieses was wer \
        wie wo wann warum wieso weshalb welche welcher welches ist sind war waren bin bist hat habe haben hatte \
        kann kannst können könnte könnten könntest will möchte muss soll sollte wird werden würde wenn weil dass \
        aber ja nein nicht gibt man guten tag",
    openers: "erkläre erklär erklären sag sage zeig zeige gib hilf hilfe helfen brauche suche wissen",
    fillers: "mein meine meinen meinem meiner dein deine deinen unser unsere ihre seine sehr auch noch mal gerne \
        eigentlich bitte",
    weak: "gut gute guten beste besten neu neue machen",
};

static FRENCH: Lexicon = Lexicon {
    articles: "le la les un une des",
    connectors: "du de et ou pour avec dans sur sous en à au aux par entre sans chez vers",
    breakers: "je j'ai tu il elle nous vous ils elles on ce cela ça c'est qui que quoi quel quelle quels quelles \
        comment où quand pourquoi est sont était suis es ai as avez avoir peux peut pouvez pourriez pourrais veux \
        voudrais dois faut si mais parce s'il plaît plait te me lui ne pas qu'est-ce est-ce puis-je",
    openers: "explique expliquer expliquez dis donne donnez aide aidez",
    fillers: "mon ma mes ton ta tes votre vos notre nos très",
    weak: "bon bonne meilleur meilleure nouveau nouvelle faire",
};

static SPANISH: Lexicon = Lexicon {
    articles: "el la los las un una unos unas",
    connectors: "de del y o para con en a al sobre entre sin desde hasta por",
    breakers: "yo tú él ella nosotros me te se lo le que qué quién cuál cuáles cómo dónde cuándo es son era está \
        están soy eres he ha hay puedo puede puedes podría podrías quiero quisiera debo si pero porque favor \
        buenos días no sí esto eso",
    openers: "explica explícame dime dame ayuda ayúdame necesito",
    fillers: "mi mis tu tus su sus muy",
    weak: "bueno buena mejor mejores nuevo nueva hacer",
};

static DUTCH: Lexicon = Lexicon {
    articles: "de het een",
    connectors: "en of voor met van naar in op aan uit bij over onder tussen zonder door te om",
    breakers: "ik jij je hij zij ze we wij jullie mij me jou hem haar ons hun dit dat deze wat wie hoe waar \
        wanneer waarom welke is zijn was waren ben bent heb hebt heeft kan kun kunt kunnen wil zou moet mag wordt \
        worden als omdat maar alsjeblieft dank ja nee niet er",
    openers: "uitleggen leg vertel geef help zoek nodig graag",
    fillers: "mijn jouw uw onze heel ook even",
    weak: "goed goede beste nieuw nieuwe maken",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_apart_by_their_small_words() {
        let connector = |text: &str| {
            let lexicon = Lexicon::of(text.split_whitespace());
            let table = lexicon.table();
            let kind = |word| table.get(word).copied().unwrap_or(Kind::Content);
            (kind("für"), kind("voor"), kind("for"))
        };
        let (yes, no) = (Kind::Connector, Kind::Content);
        assert_eq!(connector("wie kann ich das machen"), (yes, no, no));
        assert_eq!(connector("hoe kan ik dat maken voor een feest"), (no, yes, no));
        assert_eq!(connector("how do i make that for a party"), (no, no, yes));
        assert_eq!(connector(""), (no, no, yes));
    }
}
