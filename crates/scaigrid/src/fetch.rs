//! Files at addresses that the gateway hands out: images, and the results of batches.

use crate::base_url::is_loopback;
use crate::call::{ClientHeaders, Outline};
use crate::settings::Settings;
use crate::{Error, ErrorKind};
use http::Uri;
use percent_encoding::percent_decode_str;
use scaigrid_types::{BatchJob, DownloadEndpoint, Endpoint, Image, Method, Path, ReplyError, ResponseBody};

/// The call that fetches a file. Its address is in the outline already.
pub(crate) struct Fetch {
    with_credential: bool,
    /// Whether it goes where the calls go, so that their connections and their settings fit.
    pub(crate) is_near: bool,
    /// What of the address is a key: servers like to repeat it.
    pub(crate) secrets: Vec<String>,
}

/// Who may see the credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentialed {
    /// Nobody: the address itself is the key.
    Never,
    /// The gateway, and nobody else.
    SameOrigin,
}

impl Fetch {
    /// The request for a file. An address without scheme and host is the gateway's own.
    pub(crate) fn new(
        url: &str,
        credentialed: Credentialed,
        settings: &Settings,
    ) -> Result<(Self, Outline), Error> {
        // The address is a secret: no error repeats it.
        let invalid = |message: &str| Error::new(ErrorKind::InvalidRequest, message);
        let absolute = match url.starts_with('/') && !url.starts_with("//") {
            true => settings.base_url.origin() + url,
            false => url.to_owned(),
        };
        let uri: Uri = absolute.parse().map_err(|_| invalid("the address of the file is not valid"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            Some(scheme) => {
                let scheme = scheme.chars().take(20).collect::<String>();
                let message =
                    format!("the file lies at `{scheme}://`, where only http and https can be fetched");
                return Err(invalid(&message));
            }
            None => {
                return Err(invalid("the address of the file has no scheme: it must begin with https://"));
            }
        }
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(invalid("the address of the file holds a user name or password, or no host"));
        }
        let is_ours = settings.base_url.has_origin_of(&uri);
        let client_headers = if is_ours { ClientHeaders::All } else { ClientHeaders::UserAgent };
        let fetch = Self {
            with_credential: is_ours && credentialed == Credentialed::SameOrigin,
            is_near: is_ours || is_plain_loopback(&uri),
            secrets: secrets(&uri),
        };
        Ok((fetch, Outline::of_file(uri, client_headers)))
    }
}

/// The address from its path on, the query, and its values, as they are and decoded.
fn secrets(uri: &Uri) -> Vec<String> {
    let Some(query) = uri.query() else { return Vec::new() };
    let whole = uri.path_and_query().map(|all| all.as_str().to_owned());
    let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned());
    let mut secrets: Vec<String> = whole.into_iter().chain([query.to_owned()]).chain(values).collect();
    let decoded = secrets.iter().map(|secret| percent_decode_str(secret).decode_utf8_lossy().into_owned());
    let decoded: Vec<String> = decoded.collect();
    secrets.extend(decoded);
    // Short ones, such as a version, are no keys, and stand in every text.
    secrets.retain(|secret| secret.len() >= 6);
    secrets
}

fn is_plain_loopback(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http") && uri.host().is_some_and(is_loopback)
}

impl Endpoint for Fetch {
    type Reply = Vec<u8>;

    fn name(&self) -> &'static str {
        "download"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    /// Not asked: the outline is made already.
    fn path(&self) -> Path {
        Path::from_static("")
    }

    fn is_authenticated(&self) -> bool {
        self.with_credential
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Vec<u8>, ReplyError> {
        body.bytes().map(<[u8]>::to_vec)
    }
}

impl DownloadEndpoint for Fetch {
    fn is_file(&self, _: Option<&str>) -> bool {
        true
    }
}

/// Where an image lies.
pub(crate) fn image_url(image: &Image) -> Result<&str, Error> {
    image.url.as_deref().ok_or_else(|| {
        let message = match image.b64_json {
            Some(_) => "the image came with its bytes: use `decode_b64` instead of downloading it",
            None => "the image has neither an address nor bytes",
        };
        Error::new(ErrorKind::InvalidRequest, message)
    })
}

/// Where the results of a batch lie.
pub(crate) fn results_url(job: &BatchJob) -> Result<&str, Error> {
    job.output_file_url.as_deref().ok_or_else(|| no_file(job, "results"))
}

/// Where the failed lines of a batch lie.
pub(crate) fn errors_url(job: &BatchJob) -> Result<&str, Error> {
    job.error_file_url.as_deref().ok_or_else(|| no_file(job, "file of errors"))
}

fn no_file(job: &BatchJob, what: &str) -> Error {
    let status = job.status.as_ref().map_or("not known", |status| status.as_str());
    let message = format!("the batch has no {what} to download; its status is `{}`", status.escape_debug());
    Error::new(ErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEnv;
    use crate::settings::Draft;

    fn settings(base_url: &str) -> Settings {
        let draft = Draft {
            base_url: Some(base_url.into()),
            headers: vec![("X-Team".into(), "hidden".into())],
            ..Draft::default()
        };
        draft.settings(&SystemEnv::with_lookup(&|_| None)).unwrap()
    }

    #[test]
    fn nothing_secret_goes_to_another_origin() {
        let settings = settings("https://gateway.example/prefix");
        for (url, is_ours) in [
            ("https://gateway.example/media/1?token=t", true),
            ("https://GATEWAY.example:443/media/1", true),
            ("/media/1?token=t", true),
            ("http://gateway.example/media/1", false),
            ("https://gateway.example:8443/media/1", false),
            ("https://gateway.example.evil.example/media/1", false),
            ("https://cdn.example/media/1", false),
        ] {
            let (fetch, outline) = Fetch::new(url, Credentialed::SameOrigin, &settings).unwrap();
            let request = outline.request(&settings, None);
            assert_eq!(fetch.is_authenticated(), is_ours, "{url}");
            assert_eq!(request.headers().contains_key("x-team"), is_ours, "{url}");
            assert!(request.headers().contains_key("user-agent"), "{url}");
            let (fetch, _) = Fetch::new(url, Credentialed::Never, &settings).unwrap();
            assert!(!fetch.is_authenticated());
        }
    }

    #[test]
    fn what_is_a_key_in_an_address_is_known() {
        let settings = settings("https://gateway.example");
        let parts = |url| Fetch::new(url, Credentialed::Never, &settings).unwrap().0.secrets;
        let secrets = parts("/media/1?token=top%2Bsecret&v=1");
        for part in ["/media/1?token=top%2Bsecret&v=1", "top%2Bsecret", "top+secret"] {
            assert!(secrets.iter().any(|secret| secret == part), "{part}: {secrets:?}");
        }
        assert!(!secrets.iter().any(|secret| secret == "1"));
        assert!(parts("/media/1").is_empty());
    }

    #[test]
    fn wrong_addresses_are_refused_and_not_repeated() {
        let settings = settings("https://gateway.example");
        for url in [
            "",
            "x",
            "//evil.example/a",
            "s3://bucket/secret",
            "file:///etc/secret",
            "https://secret:pw@host/",
            "https://a b/secret",
            "https://host/\r\nX-Evil: secret",
            "/\r\nsecret",
            "data:image/png;base64,secret",
        ] {
            let error = Fetch::new(url, Credentialed::Never, &settings).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
