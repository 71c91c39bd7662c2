//! Health, which needs no credential.

use scaigrid_emulator::Fault;

run!(health_is_asked_without_a_credential, |emulator, client| {
    assert_eq!(wait!(client.health()).unwrap().status.as_deref(), Some("ok"));
    let sent = emulator.requests().pop().unwrap();
    assert_eq!((sent.path.as_str(), sent.header("authorization")), ("/health", None));
    let stranger = client_of!(emulator, "sgk_wrong");
    wait!(stranger.health()).unwrap();
});

run!(a_sick_gateway_is_an_error, |emulator, client| {
    emulator.faults().push(Fault::response(500, "text/html", "<html>down</html>"));
    let error = wait!(client.health()).unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (500, 1));
});
