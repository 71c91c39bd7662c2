//! What the builder and the environment come to.

use super::*;
use crate::ErrorKind;
use std::ffi::OsString;

fn build(draft: Draft, env: &[(&str, &str)]) -> Result<(Settings, Option<BearerToken>), Error> {
    let lookup =
        |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let env = SystemEnv::with_lookup(&lookup);
    Ok((draft.settings(&env)?, draft.credential(None::<()>, &env)?.fixed()))
}

fn message(draft: Draft, env: &[(&str, &str)]) -> String {
    let error = build(draft, env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

fn from_env() -> Draft {
    Draft { use_env: true, ..Draft::default() }
}

fn with_key() -> Draft {
    Draft { api_key: Some("sgk_key".into()), ..Draft::default() }
}

#[test]
fn the_environment_fills_what_the_builder_leaves_open() {
    let env = [(API_KEY_VARIABLE, "sgk_env"), (BASE_URL_VARIABLE, "http://127.0.0.1:8787/")];
    let (settings, token) = build(from_env(), &env).unwrap();
    assert_eq!(settings.base_url.as_str(), "http://127.0.0.1:8787");
    assert_eq!(token, BearerToken::new("sgk_env").ok());
    let draft = Draft { base_url: Some("https://example.com".into()), use_env: true, ..with_key() };
    let (settings, token) = build(draft, &env).unwrap();
    assert_eq!(settings.base_url.as_str(), "https://example.com");
    assert_eq!(token, BearerToken::new("sgk_key").ok());
    let (settings, _) = build(with_key(), &env).unwrap();
    assert_eq!(settings.base_url.as_str(), DEFAULT_BASE_URL);
}

#[test]
fn the_effective_settings_are_shown_without_secrets() {
    let env = [(API_KEY_VARIABLE, "sgk_env_secret"), (BASE_URL_VARIABLE, "http://127.0.0.1:8787/")];
    let draft = Draft {
        timeout: Some(Duration::from_secs(7)),
        headers: vec![("X-Team".into(), "hidden".into())],
        budget_guard: Some(BudgetGuard::tokens(5)),
        record_content: true,
        ..from_env()
    };
    let (settings, token) = build(draft, &env).unwrap();
    let shown = format!("{settings:?} {token:?}");
    // From the environment, from the builder, and by default.
    for part in [
        "http://127.0.0.1:8787",
        "timeout: 7s",
        "x-team",
        "scaigrid-rust/",
        "tokens: 5",
        "record_content: true",
        "first_byte_timeout: 60s",
        "stream_idle_timeout: 60s",
        "deadline: None",
        "max_response_bytes: 67108864",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains("secret") && !shown.contains("hidden"), "{shown}");
    let (settings, _) = build(with_key(), &[]).unwrap();
    assert!(format!("{settings:?}").contains("timeout: by endpoint"));
}

#[test]
fn every_wrong_setting_is_named() {
    let key = (API_KEY_VARIABLE, "sgk_env");
    assert!(message(from_env(), &[]).contains("SCAIGRID_API_KEY is not set"));
    assert!(
        message(from_env(), &[(API_KEY_VARIABLE, "  ")])
            .contains("SCAIGRID_API_KEY: the credential is blank")
    );
    let newline = message(from_env(), &[(API_KEY_VARIABLE, "sgk_secret\n")]);
    assert!(newline.contains("SCAIGRID_API_KEY: the credential holds a line break"), "{newline}");
    assert!(!newline.contains("sgk_secret"));
    assert!(message(from_env(), &[key, (BASE_URL_VARIABLE, "")]).contains("SCAIGRID_BASE_URL is blank"));
    assert!(
        message(from_env(), &[key, (BASE_URL_VARIABLE, "x y")]).contains("SCAIGRID_BASE_URL is not a valid")
    );
    assert!(message(Draft::default(), &[key]).contains("`.api_key(..)`"));
    let plain = Draft { base_url: Some("http://example.com".into()), ..with_key() };
    assert!(message(plain.clone(), &[]).contains("allow_plain_http"));
    assert!(build(Draft { allow_plain_http: true, ..plain }, &[]).is_ok());
    assert!(message(Draft { timeout: Some(Duration::ZERO), ..with_key() }, &[]).contains("zero"));
    assert!(message(Draft { deadline: Some(Duration::ZERO), ..with_key() }, &[]).contains("zero"));
    let env = |_: &str| None;
    let both = with_key().credential(Some(()), &SystemEnv::with_lookup(&env)).map(|_| ());
    assert!(both.unwrap_err().to_string().contains("not both"));
}

#[test]
fn the_program_may_name_itself() {
    let named = |name: &str| Draft { app_name: Some(name.into()), ..with_key() };
    let (settings, _) = build(named(" my-app/1.2 "), &[]).unwrap();
    let agent = settings.headers[header::USER_AGENT].to_str().unwrap().to_owned();
    assert!(agent.starts_with("scaigrid-rust/") && agent.ends_with(" my-app/1.2"), "{agent}");
    assert!(format!("{settings:?}").contains(&agent), "the effective settings are shown");
    for wrong in ["", " ", "a\r\nX-Evil: 1", "a\0", "ä"] {
        assert!(message(named(wrong), &[]).contains("app name"), "{wrong:?}");
    }
}

#[test]
fn headers_are_checked_and_secret() {
    let header = |name: &str, value: &str| Draft { headers: vec![(name.into(), value.into())], ..with_key() };
    let (settings, _) = build(header("X-Team", "hidden"), &[]).unwrap();
    assert!(format!("{settings:?}").contains("x-team") && !format!("{settings:?}").contains("hidden"));
    assert!(message(header("authorization", "Basic x"), &[]).contains("by itself"));
    assert!(message(header("X Y", "v"), &[]).contains("not a header name"));
    let injected = message(header("X-Team", "hidden\r\nX-Evil: 1"), &[]);
    assert!(injected.contains("x-team") && !injected.contains("hidden"));
}
