use super::*;
use proptest::prelude::*;

#[test]
fn limits_are_read_from_the_prompt() {
    for (prompt, limit) in [
        ("Reply with ONLY the title, max 6 words.", 6),
        ("A title of at most five words", 5),
        ("Write a 4-word title", 4),
        ("between 3 and 7 words", 7),
        ("fewer than 7 words", 6),
        ("no more than three words", 3),
        ("under 5 words", 4),
        ("six (6) words", 6),
        ("Titel mit höchstens 5 Wörtern", 5),
        ("0 words, or 2 words", 2),
        ("one word", 1),
        ("max 1000 words", MAX_LIMIT),
        ("18446744073709551616 words", DEFAULT_LIMIT),
        ("the title in few words", DEFAULT_LIMIT),
        ("", DEFAULT_LIMIT),
    ] {
        assert_eq!(word_limit(prompt), limit, "{prompt}");
    }
}

#[test]
fn titles_of_many_kinds_of_conversations() {
    for (messages, expected) in [
        (&["Hey, what's a good recipe for carbonara?"][..], "Good Recipe for Carbonara"),
        (&["How do I center a div in CSS?"], "Center a Div in CSS"),
        (&["Can you please tell me about the history of the Roman Empire?"], "History of the Roman Empire"),
        (&["I want to build a REST API in Rust with axum."], "Build REST API in Rust"),
        (&["Should I use Postgres or MySQL for my startup?"], "Use Postgres or MySQL for Startup"),
        (&["explain quantum computing like I'm five"], "Quantum Computing"),
        (&["My iPhone won't charge any more"], "iPhone Won't Charge"),
        (&["I'm getting a NullPointerException in my Java code"], "NullPointerException in Java Code"),
        (&["HELP ME FIX MY CAR ENGINE!!!"], "Fix Car Engine"),
        (&["What is the difference between TCP and UDP?"], "Difference Between TCP and UDP"),
        (&["Fix this:\n```py\nprint(undefined_name)\n```"], "undefined_name"),
        (&["```rs\nfn main() { println!(\"hi\"); }\n```"], "Fn Main"),
        (&["Hi!", "I'd like to plan a trip to Japan", "In April, two weeks"], "Plan a Trip to Japan"),
        (&["Wie kann ich meine Steuererklärung online machen?"], "Steuererklärung Online Machen"),
        (&["Comment puis-je apprendre le piano rapidement ?"], "Apprendre le Piano Rapidement"),
        (&["¿Cuál es la capital de Perú?"], "Capital de Perú"),
        (&["こんにちは、東京でおすすめのラーメン屋を教えてください。"], "東京でおすすめのラーメン屋を教え"),
        (&["你好，请解释量子计算"], "请解释量子计算"),
        (&["부산 여행 일정 추천해 주세요"], "부산 여행 일정 추천해 주세요"),
        (&["How are you?"], "How Are You"),
        (&["Hello"], "Hello"),
        (&["🎉🎉🎉"], "Untitled Conversation"),
        (&["https://example.com/a/b"], "Untitled Conversation"),
        (&[""], "Untitled Conversation"),
        (&[][..], "Untitled Conversation"),
    ] {
        let title = title(messages.iter().copied(), 6);
        assert_eq!(title, expected, "{messages:?}");
        assert!(title.split_whitespace().count() <= 6);
        assert_eq!(title, super::title(messages.iter().copied(), 6));
    }
}

#[test]
fn very_long_words_are_cut_and_small_limits_hold() {
    let long = "Donaudampfschifffahrtsgesellschaftskapitän";
    assert_eq!(title([long], 6), "Donaudampfschifffahrtsge");
    assert_eq!(title(["good recipe for carbonara"], 1), "Recipe");
    assert_eq!(title(["good recipe for carbonara"], 0), "Recipe");
    assert_eq!(title([""], 1), "Untitled");
}

proptest! {
    #[test]
    fn any_text_gives_a_title_within_the_limit(
        messages in prop::collection::vec(prop_oneof![".{0,120}", "[a-zA-Z ,.?\n`あ東。'-]{0,120}"], 0..4),
        limit in 0_usize..12,
    ) {
        let title = title(messages.iter().map(String::as_str), limit);
        prop_assert!(!title.trim().is_empty());
        prop_assert!(title.split_whitespace().count() <= limit.max(1), "{title:?}");
    }

    #[test]
    fn any_prompt_gives_a_limit(system in ".{0,80}") {
        prop_assert!((1..=MAX_LIMIT).contains(&word_limit(&system)));
    }
}
