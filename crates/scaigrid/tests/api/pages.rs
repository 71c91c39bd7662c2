//! Lists from their first page to their last.

use crate::receiver::Receiver;
use crate::{CHAT_MODEL, EMBEDDING_MODEL};
use scaigrid::{
    CreateCollection, CreateRoom, CreateSession, CreateWebhook, EventType, ListCollections, ListDeliveries,
    ListDocuments, ListModels, ListRooms, ListSessions, ListWebhooks, Upload, UploadDocument,
};

/// How many requests brought the items of a list with a limit of 2, and the items.
macro_rules! walked {
    ($emulator:ident, $client:ident, $list:expr) => {{
        let before = $emulator.requests().len();
        let items = all!($client, $list.limit(2));
        let pages = $emulator.requests().split_off(before);
        assert!(pages.iter().all(|page| page.query.as_ref().unwrap().contains("limit=2")));
        assert_eq!(pages.len(), items.len().div_ceil(2), "pages");
        items
    }};
}

run!(items_come_from_all_pages_of_each_list, |emulator, client| {
    let slugs: Vec<_> =
        walked!(emulator, client, ListModels::new()).into_iter().map(|one| one.slug).collect();
    let whole: Vec<_> = wait!(client.models(&ListModels::new()))
        .unwrap()
        .into_inner()
        .into_iter()
        .map(|one| one.slug)
        .collect();
    assert_eq!(slugs, whole);
    assert!(slugs.len() > 4);

    let mut names = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        names.push(name.to_owned());
        wait!(client.create_session(&CreateSession::new(CHAT_MODEL).title(name))).unwrap();
        wait!(client.create_room(&CreateRoom::new(name))).unwrap();
        wait!(client.create_collection(&CreateCollection::new(name, EMBEDDING_MODEL))).unwrap();
    }
    let mut sessions: Vec<_> = walked!(emulator, client, ListSessions::new());
    sessions.sort_by(|one, two| one.title.cmp(&two.title));
    assert_eq!(sessions.iter().map(|one| one.title.clone().unwrap()).collect::<Vec<_>>(), names);
    let mut rooms: Vec<_> = walked!(emulator, client, ListRooms::new());
    rooms.sort_by(|one, two| one.name.cmp(&two.name));
    assert_eq!(rooms.iter().map(|one| one.name.clone().unwrap()).collect::<Vec<_>>(), names);
    let mut collections: Vec<_> = walked!(emulator, client, ListCollections::new());
    collections.sort_by(|one, two| one.name.cmp(&two.name));
    assert_eq!(collections.iter().map(|one| one.name.clone().unwrap()).collect::<Vec<_>>(), names);

    let collection = &collections[0].id;
    for name in &names {
        let upload = UploadDocument::new(collection, Upload::bytes(format!("{name}.txt"), "text"));
        wait!(client.upload_document(&upload)).unwrap();
    }
    assert_eq!(walked!(emulator, client, ListDocuments::new(collection)).len(), 5);
});

run!(items_come_from_all_pages_of_webhooks_and_deliveries, |emulator, client| {
    let receiver = Receiver::answering(&[200]);
    let mut last = String::new();
    for _ in 0..5 {
        let webhook = CreateWebhook::new(receiver.url(), [EventType::RequestFailed]);
        last.clone_from(&wait!(client.create_webhook(&webhook)).unwrap().id);
    }
    let webhooks = walked!(emulator, client, ListWebhooks::new());
    assert_eq!(webhooks.iter().map(|one| &one.id).collect::<std::collections::HashSet<_>>().len(), 5);
    for _ in 0..3 {
        wait!(client.test_webhook(&last)).unwrap();
    }
    let before = emulator.requests().len();
    let deliveries = all!(client, ListDeliveries::new(&last).limit(2));
    assert_eq!((deliveries.len(), emulator.requests().len() - before), (3, 2));
});

run!(pages_are_fetched_one_by_one, |emulator, client| {
    let mut pages = client.pages(ListModels::new().limit(4));
    assert!(emulator.requests().is_empty(), "not before they are asked for");
    let first = wait!(pages.next()).unwrap().unwrap();
    assert_eq!((first.items.len(), emulator.requests().len()), (4, 1));
    assert_eq!(pages.next_cursor(), first.next_cursor.as_deref());
    assert_eq!(first.request_id(), Some(emulator.requests()[0].request_id.as_str()));
    let mut count = first.items.len();
    while let Some(page) = wait!(pages.next()) {
        count += page.unwrap().items.len();
    }
    assert_eq!(count, wait!(client.models(&ListModels::new())).unwrap().items.len());
    assert!(pages.next_cursor().is_none());
    // A list can be taken up at any page.
    let rest = all!(client, ListModels::new().cursor(first.next_cursor.clone().unwrap()));
    assert_eq!(rest.len(), count - first.items.len());
    let error = wait!(client.pages(ListModels::new().cursor("x")).next()).unwrap().map(|_| ()).unwrap_err();
    assert!(error.field_errors().iter().any(|one| one.field == "cursor"), "{error}");
});
