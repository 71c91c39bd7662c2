//! Models.

use crate::CHAT_MODEL;
use scaigrid::{ErrorCode, ListModels, Modality, ModelStatus, Money};

run!(models_are_listed_by_what_they_do, |emulator, client| {
    let all = wait!(client.models(&ListModels::new())).unwrap();
    assert!(all.items.iter().any(|model| model.slug == CHAT_MODEL));
    for modality in [Modality::Chat, Modality::Embedding, Modality::Image, Modality::Audio] {
        let some = wait!(client.models(&ListModels::new().modality(modality.clone()))).unwrap();
        assert!(!some.items.is_empty() && some.items.len() < all.items.len());
        assert!(some.items.iter().all(|model| model.modality.as_ref() == Some(&modality)), "{modality:?}");
    }
    let old = wait!(client.models(&ListModels::new().status(ModelStatus::Deprecated))).unwrap();
    assert!(!old.items.is_empty() && old.items.len() < all.items.len());
    assert_eq!(emulator.requests().pop().unwrap().query.as_deref(), Some("status=deprecated"));
});

run!(one_model_is_found_by_its_slug, |emulator, client| {
    let model = wait!(client.model(CHAT_MODEL)).unwrap();
    assert_eq!(model.slug, CHAT_MODEL);
    assert!(model.context_window.unwrap() > 0 && model.input_price_per_mtok.unwrap() > Money::ZERO);
    assert_eq!(emulator.requests().pop().unwrap().path, "/v1/models/scailabs%2Fpoolnoodle-omni");
    let error = wait!(client.model("tenant/acme/summarizer")).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ModelNotFound));
});
