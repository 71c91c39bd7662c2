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

run!(not_ready_is_a_value, |emulator, client| {
    let ready = wait!(client.readiness()).unwrap();
    assert!(ready.is_ready && ready.status.as_deref() == Some("ready"));
    assert_eq!(ready.checks["database"], "ok");
    emulator.set_ready(false);
    let not_ready = wait!(client.readiness()).unwrap();
    assert!(!not_ready.is_ready);
    assert_eq!((not_ready.status.is_some(), not_ready.attempts()), (true, 1));
    assert_eq!(scaigrid::Reply::status(&not_ready).as_u16(), 503);
    assert!(emulator.requests().iter().all(|sent| sent.header("authorization").is_none()));
    emulator.set_ready(true);
    assert!(wait!(client.readiness()).unwrap().is_ready);
});

run!(details_and_metrics_are_read, |emulator, client| {
    wait!(client.chat(&crate::question("Hello."))).unwrap();
    let details = wait!(client.detailed_health()).unwrap();
    assert_eq!((&details["status"], &details["checks"]["redis"]), (&"ok".into(), &"ok".into()));
    assert!(emulator.requests().pop().unwrap().header("authorization").is_some());
    let metrics = wait!(client.metrics()).unwrap();
    assert!(metrics.lines().any(|line| line.starts_with("scaigrid_circuit_breaker_state")), "{}", *metrics);
    assert_eq!(emulator.requests().pop().unwrap().header("authorization"), None);
});
