//! Files at addresses that the gateway hands out: images, and the results of batches.

use crate::payload::Payload;
use crate::settings::Settings;
use crate::{Error, ErrorKind};
use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use scaigrid_types::{BatchJob, DownloadEndpoint, Endpoint, Image, Method, Path, ReplyError, ResponseBody};

/// The call that fetches a file. Its address is in the request already.
pub(crate) struct Fetch {
    with_credential: bool,
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
    ) -> Result<(Self, http::Request<Payload>), Error> {
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
        let mut request = http::Request::new(Payload::Bytes(Bytes::new()));
        // The caller's headers may be secrets, and are meant for the gateway.
        match is_ours {
            true => *request.headers_mut() = settings.headers.clone(),
            false => request.headers_mut().extend(
                settings.headers.get(header::USER_AGENT).map(|agent| (header::USER_AGENT, agent.clone())),
            ),
        }
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        *request.uri_mut() = uri;
        Ok((Self { with_credential: is_ours && credentialed == Credentialed::SameOrigin }, request))
    }
}

impl Endpoint for Fetch {
    type Reply = Vec<u8>;

    fn name(&self) -> &'static str {
        "download"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    /// Not asked: the request is made already.
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
    job.output_file_url.as_deref().ok_or_else(|| {
        let status = job.status.as_ref().map_or("not known", |status| status.as_str());
        let message =
            format!("the batch has no results to download; its status is `{}`", status.escape_debug());
        Error::new(ErrorKind::InvalidRequest, message)
    })
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
            let (fetch, request) = Fetch::new(url, Credentialed::SameOrigin, &settings).unwrap();
            assert_eq!(fetch.is_authenticated(), is_ours, "{url}");
            assert_eq!(request.headers().contains_key("x-team"), is_ours, "{url}");
            assert!(request.headers().contains_key("user-agent"), "{url}");
            let (fetch, _) = Fetch::new(url, Credentialed::Never, &settings).unwrap();
            assert!(!fetch.is_authenticated());
        }
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
