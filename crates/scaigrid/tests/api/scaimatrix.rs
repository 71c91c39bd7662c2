//! ScaiMatrix: documents that are indexed and found.

use crate::{EMBEDDING_MODEL, quickly};
use scaigrid::{
    ChunkingStrategy, CollectionAccess, CollectionPermission, CreateCollection, Document, DocumentStatus,
    ErrorCode, ListCollections, ListDocuments, RawRequest, SearchCollection, SearchType, UpdateCollection,
    Upload, UploadDocument,
};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};

const RECIPES: &str = "Carbonara needs eggs and cheese.\n\nRisotto needs rice.\n\nBread needs flour.";

fn handbook(name: &str) -> CreateCollection {
    CreateCollection::new(name, EMBEDDING_MODEL)
}

fn recipes(collection: &str) -> UploadDocument {
    UploadDocument::new(collection, Upload::bytes("recipes.md", RECIPES))
        .name("Recipes of Rome")
        .metadata("year", 2026)
}

run!(a_document_is_indexed_and_found, Emulator::builder().ingestion_by_polls(), |_, client| {
    let collection = wait!(client.create_collection(&handbook("Cook Book"))).unwrap();
    let uploaded = wait!(client.upload_document(&recipes(&collection.id))).unwrap();
    assert_eq!(uploaded.status, Some(DocumentStatus::Pending));
    let id = uploaded.id.as_ref().unwrap();
    let mut stages = Vec::new();
    let polling = quickly().on_progress(|seen: &Document| stages.extend(seen.status.clone()));
    let document = wait!(client.wait_until_indexed(&collection.id, id, polling)).unwrap();
    assert_eq!(document.status, Some(DocumentStatus::Indexed));
    assert!(stages.contains(&DocumentStatus::Embedding) && stages.len() > 2, "{stages:?}");
    assert_eq!(document.name.as_deref(), Some("Recipes of Rome"));
    assert_eq!(document.metadata.as_ref().unwrap()["year"], 2026);

    let search = SearchCollection::new(&collection.id, "eggs for a carbonara")
        .top_k(4)
        .min_score(0.01)
        .search_type(SearchType::Vector);
    let found = wait!(client.search_collection(&search)).unwrap();
    let hit = &found.results[0];
    assert_eq!((hit.document_id.as_ref(), hit.document_name.as_deref()), (Some(id), Some("Recipes of Rome")));
    assert_eq!(hit.content.as_deref(), Some("Carbonara needs eggs and cheese."));
    assert!((0.01..=1.0).contains(&hit.score.unwrap()));
    let nothing = SearchCollection::new(&collection.id, "xylophone");
    assert!(wait!(client.search_collection(&nothing)).unwrap().results.is_empty());

    wait!(client.delete_document(&collection.id, id)).unwrap();
    assert!(wait!(client.search_collection(&search)).unwrap().results.is_empty());
    assert_eq!(wait!(client.document(&collection.id, id)).unwrap_err().status().unwrap(), 404);
});

run!(a_document_that_cannot_be_read_says_why, |_, client| {
    let collection = wait!(client.create_collection(&handbook("Scans"))).unwrap();
    let scan = UploadDocument::new(&collection.id, Upload::bytes("scan.bin", b"\xff\xfe\x00"));
    let uploaded = wait!(client.upload_document(&scan)).unwrap();
    let id = uploaded.id.as_ref().unwrap();
    let failed = wait!(client.wait_until_indexed(&collection.id, id, quickly())).unwrap();
    assert_eq!(failed.status, Some(DocumentStatus::Failed));
    assert!(failed.error_message.as_ref().unwrap().contains("UTF-8"), "{failed:?}");
    let again = wait!(client.document(&collection.id, id)).unwrap();
    assert_eq!(again.error_message, failed.error_message);
});

run!(a_collection_is_made_changed_copied_and_deleted, |_, client| {
    let request = handbook("Acme Handbook")
        .description("How we work")
        .chunking_strategy(ChunkingStrategy::Markdown)
        .chunk_size(100)
        .chunk_overlap(10);
    let made = wait!(client.create_collection(&request)).unwrap();
    assert_eq!((made.slug.as_deref(), made.chunk_size), (Some("acme-handbook"), Some(100)));
    let clash = wait!(client.create_collection(&request)).unwrap_err();
    assert_eq!((clash.code(), clash.status().unwrap().as_u16()), (Some(&ErrorCode::SlugConflict), 409));
    let seen = wait!(client.collection(&made.id)).unwrap();
    assert_eq!((&seen.chunking_strategy, seen.graph_max_nodes), (&made.chunking_strategy, Some(250_000)));

    let update = UpdateCollection::new(&made.id).chunk_size(200).default_access(CollectionAccess::Restricted);
    let changed = wait!(client.update_collection(&update)).unwrap();
    assert_eq!(changed.follow_ups.as_ref().unwrap()["rechunk_recommended"], true);
    assert_eq!(changed.description.as_deref(), Some("How we work"));

    wait!(client.upload_document(&recipes(&made.id))).unwrap();
    let copy = wait!(client.fork_collection(&made.id)).unwrap();
    assert_ne!(copy.id, made.id);
    wait!(client.delete_collection(&made.id)).unwrap();
    assert_eq!(wait!(client.collection(&made.id)).unwrap_err().status().unwrap(), 404);
    let found = wait!(client.search_collection(&SearchCollection::new(&copy.id, "risotto"))).unwrap();
    assert_eq!(found.total, Some(1), "the copy has the documents");
});

run!(
    collections_and_documents_are_listed,
    Emulator::builder().api_key(DEFAULT_API_KEY).api_key("sgk_other"),
    |emulator, client| {
        let other = client_of!(emulator, "sgk_other");
        let mine = wait!(client.create_collection(&handbook("Mine"))).unwrap();
        let restricted = handbook("Theirs").default_access(CollectionAccess::Restricted);
        let theirs = wait!(other.create_collection(&restricted)).unwrap();
        let listed = wait!(client.collections(&ListCollections::new())).unwrap();
        assert_eq!(listed.items[0].user_permission, Some(CollectionPermission::Manage));
        assert!(listed.items.iter().all(|one| one.id != theirs.id || one.user_permission.is_none()));
        let denied = wait!(client.upload_document(&recipes(&theirs.id))).unwrap_err();
        assert_eq!(denied.code(), Some(&ErrorCode::AuthzPermissionDenied));
        let uploaded = wait!(client.upload_document(&recipes(&mine.id))).unwrap();
        let documents = wait!(client.documents(&ListDocuments::new(&mine.id))).unwrap();
        assert_eq!(documents.items.len(), 1);
        assert_eq!(documents.items[0].id, uploaded.id);
    }
);

run!(module_calls_without_a_type_are_raw_requests, |_, client| {
    let collection = wait!(client.create_collection(&handbook("Recipes"))).unwrap();
    wait!(client.upload_document(&recipes(&collection.id))).unwrap();
    let base = "/v1/modules/scaimatrix";
    let rights = RawRequest::get(&format!("{base}/permissions/collection")).segment(&collection.id);
    let rights = wait!(client.send(&rights.segment("effective"))).unwrap();
    assert_eq!(rights["can"]["read"], true);
    let rechunk =
        RawRequest::post(&format!("{base}/collections")).segment(&collection.id).segment("re-chunk");
    assert_eq!(wait!(client.send(&rechunk)).unwrap()["rechunked"], 1);
});
