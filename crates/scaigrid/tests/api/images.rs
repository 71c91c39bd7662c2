//! Images, and the addresses that they come with.

use scaigrid::{ErrorCode, ErrorKind, GenerateImagesRequest, ImageResponseFormat};
use scaigrid_emulator::Emulator;
use std::time::Duration;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const LARGE: usize = 1 << 20;

fn a_lighthouse() -> GenerateImagesRequest {
    GenerateImagesRequest::new("openai/dall-e-3", "A lighthouse at night")
}

run!(images_are_downloaded_without_the_key, |emulator, client| {
    let images = wait!(client.generate_images(&a_lighthouse().n(2))).unwrap();
    assert_eq!(images.data.len(), 2);
    assert!(images.data[0].revised_prompt.as_ref().unwrap().contains("lighthouse"));
    let mut files = Vec::new();
    for image in &images.data {
        let download = wait!(client.download_image(image)).unwrap();
        assert_eq!((download.content_type(), download.attempts()), (Some("image/png"), 1));
        let length = download.content_length().unwrap();
        let file = wait!(download.collect_bytes(LARGE)).unwrap();
        assert!(file.starts_with(PNG) && file.len() as u64 == length);
        files.push(file);
    }
    assert_ne!(files[0], files[1]);
    let downloads = emulator.requests().split_off(1);
    assert_eq!(downloads.len(), 2);
    for request in downloads {
        assert!(request.path.starts_with("/media/") && request.query.as_ref().unwrap().contains("token="));
        assert_eq!(request.header("authorization"), None);
    }
});

run!(images_in_the_answer_need_no_download, |_, client| {
    let request = a_lighthouse().response_format(ImageResponseFormat::B64Json);
    let images = wait!(client.generate_images(&request)).unwrap();
    let bytes = images.data[0].decode_b64().unwrap().unwrap();
    assert!(bytes.starts_with(PNG));
    let error = wait!(client.download_image(&images.data[0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("decode_b64"), "{error}");
    // The same image as by its address.
    let by_address = wait!(client.generate_images(&a_lighthouse())).unwrap();
    let download = wait!(client.download_url(by_address.data[0].url.as_ref().unwrap())).unwrap();
    assert_eq!(wait!(download.collect_bytes(LARGE)).unwrap(), bytes);
});

run!(
    addresses_expire_and_are_not_repeated_in_errors,
    Emulator::builder().media_lifetime(Duration::ZERO),
    |emulator, client| {
        let images = wait!(client.generate_images(&a_lighthouse())).unwrap();
        let error = wait!(client.download_image(&images.data[0])).unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::AuthzPermissionDenied));
        assert!(error.message().contains("expired"), "{error}");
        let sent = emulator.requests().pop().unwrap();
        let token = sent.query.unwrap();
        assert!(!format!("{error} {error:?}").contains(&token));
        assert_eq!(error.request_id(), Some(sent.request_id.as_str()));
    }
);

run!(files_larger_than_wanted_are_not_kept, |_, client| {
    let images = wait!(client.generate_images(&a_lighthouse())).unwrap();
    let download = wait!(client.download_image(&images.data[0])).unwrap();
    let error = wait!(download.collect_bytes(10)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
});
