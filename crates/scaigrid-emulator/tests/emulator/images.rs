//! Images, and the media proxy.

use crate::calls::{booked, call, call_as, download};
use crate::http::{OMNI, send};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scaigrid_emulator::Emulator;
use serde_json::{Value, json};
use std::io::Cursor;
use std::time::Duration;

const IMAGES: &str = "/v1/inference/images/generate";
const DALL_E: &str = "openai/dall-e-3";

fn documented() -> Value {
    json!({"model": DALL_E, "prompt": "A landscape painting", "n": 1, "size": "1024x1024",
        "quality": "standard", "style": "vivid", "response_format": "url"})
}

fn size(png: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height)
}

#[test]
fn the_documented_example_gives_a_url_of_a_png() {
    let emulator = Emulator::start().unwrap();
    let body = call(&emulator, IMAGES, &documented()).json();
    assert_eq!((&body["status"], &body["data"]["model"]), (&json!("ok"), &json!(DALL_E)));
    let image = &body["data"]["data"][0];
    assert_eq!(image["revised_prompt"], "A picture in a vivid style: A landscape painting");
    assert!(image.get("b64_json").is_none());
    let file = download(&emulator, &image["url"]);
    assert_eq!((file.status, file.header("content-type")), (200, Some("image/png")));
    assert!(file.header("x-scaigrid-request-id").is_some());
    assert_eq!(size(&file.body), (64, 64));
    // Assumed: a request, and no tokens or costs.
    assert_eq!(booked(&emulator, DALL_E), (1, 0, "0".to_owned()));
}

#[test]
fn images_can_come_inline_and_depend_on_the_prompt() {
    let emulator = Emulator::start().unwrap();
    let images = |prompt: &str, n: u64| -> Vec<Vec<u8>> {
        let body = json!({"model": "openai/dall-e-2", "prompt": prompt, "n": n, "size": "256x256",
            "response_format": "b64_json", "metadata": {"a": 1}});
        let body = call(&emulator, IMAGES, &body).json();
        let data = body["data"]["data"].as_array().unwrap();
        assert!(data.iter().all(|image| image.get("url").is_none() && image.get("revised_prompt").is_none()));
        data.iter().map(|image| STANDARD.decode(image["b64_json"].as_str().unwrap()).unwrap()).collect()
    };
    let foxes = images("a fox", 10);
    assert_eq!(foxes.len(), 10);
    assert!(foxes.iter().all(|png| size(png) == (64, 64)) && foxes[0] != foxes[1]);
    assert_eq!(images("a fox", 1)[0], foxes[0]);
    assert_ne!(images("a cat", 1)[0], foxes[0]);
}

#[test]
fn a_url_needs_its_token_and_expires() {
    let emulator = Emulator::start().unwrap();
    let url = call(&emulator, IMAGES, &documented()).json()["data"]["data"][0]["url"].clone();
    let target = url.as_str().unwrap().strip_prefix(emulator.base_url()).unwrap().to_owned();
    let (path, token) = target.split_once('?').unwrap();
    assert!(path.starts_with("/media/") && token.starts_with("token="));
    let code = |method: &str, target: &str| {
        let answer = send(&emulator, method, target, None, b"").unwrap();
        (answer.status, answer.code())
    };
    for wrong in [path.to_owned(), format!("{path}?token="), format!("{target}0")] {
        assert_eq!(code("GET", &wrong), (403, "AUTHZ_PERMISSION_DENIED".to_owned()), "{wrong}");
    }
    assert_eq!(code("GET", "/media/media_0?token=x"), (404, "NOT_FOUND".to_owned()));
    assert_eq!(code("GET", "/media/%ff?token=x"), (404, "NOT_FOUND".to_owned()));
    assert_eq!(code("POST", &target), (405, "METHOD_NOT_ALLOWED".to_owned()));
    assert_eq!(download(&emulator, &url).status, 200);

    let emulator = Emulator::builder().media_lifetime(Duration::ZERO).start().unwrap();
    let url = call(&emulator, IMAGES, &documented()).json()["data"]["data"][0]["url"].clone();
    let expired = download(&emulator, &url);
    assert_eq!((expired.status, expired.code().as_str()), (403, "AUTHZ_PERMISSION_DENIED"));
    assert!(expired.json()["error"]["message"].as_str().unwrap().contains("expired"));
}

#[test]
fn what_is_wrong_is_named() {
    let emulator = Emulator::builder().api_key("a").api_key("poor").budget("poor", "0".parse().unwrap());
    let emulator = emulator.start().unwrap();
    let wrong = json!({"model": "", "prompt": 1, "n": 11, "size": "1x1", "quality": "best", "style": "x",
        "response_format": "png", "metadata": 1});
    let fields = ["model", "prompt", "n", "size", "quality", "style", "response_format", "metadata"];
    assert_eq!(call(&emulator, IMAGES, &wrong).invalid_fields(), fields);
    assert_eq!(call(&emulator, IMAGES, &json!({"model": OMNI, "prompt": "x"})).invalid_fields(), ["model"]);
    for model in [DALL_E, "stability/sd-xl"] {
        let small = json!({"model": model, "prompt": "x", "size": "512x512"});
        assert_eq!(call(&emulator, IMAGES, &small).invalid_fields(), ["size"]);
    }
    let unknown = call(&emulator, IMAGES, &json!({"model": "dall-e-3", "prompt": "x"}));
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "MODEL_NOT_FOUND"));
    assert_eq!(call_as(&emulator, "poor", IMAGES, &documented()).code(), "BUDGET_EXCEEDED");
}
