//! Ids in paths: any characters, and those that nobody has.

use crate::CHAT_MODEL;
use percent_encoding::percent_decode_str;
use scaigrid::{
    AddRoomMember, CreateSession, ErrorKind, ListDeliveries, ListDocuments, RoomMemberType, SearchCollection,
    SendRoomMessage, SendSessionMessage, UpdateCollection, UpdateRoom, UpdateSession, UpdateWebhook, Upload,
    UploadDocument,
};
use scaigrid_emulator::RecordedRequest;

const ODD: [&str; 12] = [
    "a/b",
    "..x",
    "...",
    "../..",
    "100%",
    "%2F",
    "a b",
    "a+b?c=d#e",
    "Ünïcode",
    "日本",
    "\u{1f6b2}",
    "\"<>\\^`{|}\r\n",
];

/// The path as its segments were before they were encoded.
fn segments(request: &RecordedRequest) -> Vec<String> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8().unwrap().into_owned();
    request.path.split('/').skip(1).map(decode).collect()
}

/// Makes each call with an id, and gives the result together with the expected path.
macro_rules! calls_by_id {
    ($client:ident, $id:ident, $check:ident) => {
        $check!(client.batch($id), $client, ["v1", "inference", "batch", $id]);
        $check!(client.cancel_batch($id), $client, ["v1", "inference", "batch", $id, "cancel"]);
        $check!(client.model($id), $client, ["v1", "models", $id]);
        $check!(client.session($id), $client, ["v1", "sessions", $id]);
        $check!(client.update_session(&UpdateSession::new($id)), $client, ["v1", "sessions", $id]);
        $check!(client.close_session($id), $client, ["v1", "sessions", $id]);
        $check!(client.delete_session($id), $client, ["v1", "sessions", $id]);
        let message = SendSessionMessage::new($id, "x");
        $check!(client.send_session_message(&message), $client, ["v1", "sessions", $id, "messages"]);
        $check!(client.stream_session_message(&message), $client, ["v1", "sessions", $id, "messages"]);
        $check!(client.room($id), $client, ["v1", "rooms", $id]);
        $check!(client.update_room(&UpdateRoom::new($id).name("x")), $client, ["v1", "rooms", $id]);
        $check!(client.archive_room($id), $client, ["v1", "rooms", $id]);
        let member = AddRoomMember::new($id, RoomMemberType::User, "u");
        $check!(client.add_room_member(&member), $client, ["v1", "rooms", $id, "members"]);
        let message = SendRoomMessage::new($id, "x");
        $check!(client.send_room_message(&message), $client, ["v1", "rooms", $id, "messages"]);
        $check!(client.budget($id), $client, ["v1", "accounting", "budgets", $id]);
        $check!(client.revoke_api_key($id), $client, ["v1", "api-keys", $id]);
        $check!(client.webhook($id), $client, ["v1", "webhooks", $id]);
        let update = UpdateWebhook::new($id, "http://127.0.0.1/", ["a.b".into()]);
        $check!(client.update_webhook(&update), $client, ["v1", "webhooks", $id]);
        $check!(client.delete_webhook($id), $client, ["v1", "webhooks", $id]);
        $check!(client.test_webhook($id), $client, ["v1", "webhooks", $id, "test"]);
        let list = ListDeliveries::new($id);
        $check!(client.webhook_deliveries(&list), $client, ["v1", "webhooks", $id, "deliveries"]);
        let collections = ["v1", "modules", "scaimatrix", "collections", $id];
        $check!(client.collection($id), $client, collections);
        $check!(client.update_collection(&UpdateCollection::new($id)), $client, collections);
        $check!(client.delete_collection($id), $client, collections);
        $check!(client.fork_collection($id), $client, [&collections[..], &["fork"]].concat());
        let upload = UploadDocument::new($id, Upload::bytes("a.txt", "text"));
        $check!(client.upload_document(&upload), $client, [&collections[..], &["documents"]].concat());
        $check!(
            client.documents(&ListDocuments::new($id)),
            $client,
            [&collections[..], &["documents"]].concat()
        );
        let search = SearchCollection::new($id, "x");
        $check!(client.search_collection(&search), $client, [&collections[..], &["search"]].concat());
        $check!(client.document($id, $id), $client, [&collections[..], &["documents", $id]].concat());
        $check!(client.delete_document($id, $id), $client, [&collections[..], &["documents", $id]].concat());
    };
}

run!(an_id_is_one_segment_of_the_path, |emulator, client| {
    macro_rules! is_one_segment {
        (client.$method:ident($($arg:expr),*), $client:ident, $path:expr) => {
            wait!($client.$method($($arg),*)).map(|_| ()).unwrap_err();
            let sent = emulator.requests().pop().unwrap();
            assert_eq!(segments(&sent), $path, "{}", stringify!($method));
        };
    }
    for id in ODD {
        calls_by_id!(client, id, is_one_segment);
    }
});

run!(an_unknown_id_is_not_found, |emulator, client| {
    macro_rules! is_not_found {
        (client.$method:ident($($arg:expr),*), $client:ident, $path:expr) => {
            let error = wait!($client.$method($($arg),*)).map(|_| ()).unwrap_err();
            let code = if stringify!($method) == "model" { "MODEL_NOT_FOUND" } else { "NOT_FOUND" };
            assert_eq!(error.code().unwrap().as_str(), code, "{}: {error}", stringify!($method));
            assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (404, 1));
            let sent = emulator.requests().pop().unwrap();
            assert_eq!(error.request_id(), Some(sent.request_id.as_str()));
            assert!(error.to_string().contains(&sent.request_id), "{error}");
            let _ = $path;
        };
    }
    let id = "unknown_1";
    calls_by_id!(client, id, is_not_found);
});

run!(ids_that_would_change_the_path_are_not_sent, |emulator, client| {
    macro_rules! is_not_sent {
        (client.$method:ident($($arg:expr),*), $client:ident, $path:expr) => {
            let error = wait!($client.$method($($arg),*)).map(|_| ()).unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{}", stringify!($method));
            let _ = $path;
        };
    }
    for id in ["", ".", ".."] {
        calls_by_id!(client, id, is_not_sent);
    }
    assert!(emulator.requests().is_empty());
    // What follows still works.
    wait!(client.create_session(&CreateSession::new(CHAT_MODEL))).unwrap();
});
