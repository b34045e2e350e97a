//! Other applications that wrap themselves with `RecordRequests`: into a book of their own, and into a daemon.

use super::harness::TestDaybook;
use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, HttpServer, web};
use daybook::actors::{Recorder, embedded};
use daybook::client::Remote;
use daybook::config::{Settings, StorageUrl};
use daybook::domain::{Draft, Entity, Sink};
use daybook::http::RecordRequests;
use serde_json::{Value, json};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the tests' application finds out about its caller while it answers.
struct User(&'static str);

async fn rename(request: HttpRequest) -> HttpResponse {
    request.extensions_mut().insert(User("anna"));
    HttpResponse::NoContent().finish()
}

async fn complete(task: web::Path<String>, recorder: Option<web::Data<Recorder>>) -> HttpResponse {
    if let Some(recorder) = recorder {
        recorder.record(Entity::task(task.as_str()).by("bob").completed());
    }
    HttpResponse::Ok().finish()
}

async fn breaks() -> HttpResponse {
    panic!("as a handler with a mistake would")
}

async fn never(began: web::Data<mpsc::SyncSender<()>>) -> HttpResponse {
    began.send(()).unwrap();
    std::future::pending().await
}

/// An application of somebody else's, on a port of its own.
struct Tasks {
    address: SocketAddr,
    handle: ServerHandle,
    serving: JoinHandle<()>,
    began: mpsc::Receiver<()>,
}

impl Tasks {
    fn serve<S: Sink + Clone + 'static>(sink: S, recorder: Option<Recorder>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, handle) = mpsc::channel();
        let (begins, began) = mpsc::sync_channel(8);
        let serving = std::thread::spawn(move || {
            System::new().block_on(async {
                let server = HttpServer::new(move || {
                    let calls = RecordRequests::into(sink.clone())
                        .entity("/tasks/{id}", "task")
                        .actor(|request| Some(request.extensions().get::<User>()?.0.to_owned()));
                    let again = RecordRequests::into(sink.clone());
                    let within = web::resource("/tasks/{id}/notes").wrap(again);
                    let within = within.route(web::post().to(HttpResponse::Created));
                    let app = App::new()
                        .app_data(web::Data::new(begins.clone()))
                        .wrap(calls)
                        .service(within)
                        .route("/tasks/{id}", web::put().to(rename))
                        .route("/tasks/{id}/complete", web::post().to(complete))
                        .route("/breaks", web::post().to(breaks))
                        .route("/never/{id}", web::post().to(never));
                    match recorder.clone() {
                        Some(recorder) => app.app_data(web::Data::new(recorder)),
                        None => app,
                    }
                });
                let server = server
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                    .unwrap()
                    .run();
                told.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = handle.recv().unwrap();
        Self {
            address,
            handle,
            serving,
            began,
        }
    }

    /// As a client does that reads no answer; it is gone when the connection is dropped.
    fn send(&self, request: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).unwrap();
        let head = "Host: localhost\r\nUser-Agent: curl/8\r\nContent-Length: 0\r\n\r\n";
        write!(connection, "{request} HTTP/1.1\r\n{head}").unwrap();
        connection
    }

    fn status(&self, request: &str) -> String {
        use std::io::BufRead;
        let mut line = String::new();
        let connection = self.send(request);
        // A handler that panics has its connection closed.
        std::io::BufReader::new(connection)
            .read_line(&mut line)
            .unwrap();
        line.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// All that there is to record, one after the other.
    fn live_through_everything(&self) {
        assert_eq!(self.status("PUT /tasks/4%32?token=hunter2"), "204");
        assert_eq!(self.status("POST /tasks/7/complete"), "200");
        assert_eq!(self.status("PUT /unknown"), "404");
        assert_eq!(self.status("POST /tasks/8/notes"), "201");
        assert_eq!(self.status("POST /breaks"), "");
        let given_up = self.send("POST /never/9");
        self.began.recv_timeout(Duration::from_secs(20)).unwrap();
        // At once, and not only for what it would still have said.
        rustix::net::sockopt::set_socket_linger(&given_up, Some(Duration::ZERO)).unwrap();
        drop(given_up);
    }

    fn stop(self) {
        System::new().block_on(self.handle.stop(false));
        self.serving.join().unwrap();
    }
}

/// Waits for what comes by itself, and says what did not.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the calls of `live_through_everything` leave, as (action, route, entity, actor).
fn told(entries: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of = |entry: &Value| {
        [
            text(&entry["action"]),
            text(&entry["metadata"]["method"]),
            text(&entry["metadata"]["route"]),
            text(&entry["entity_id"]),
            text(&entry["actor"]),
        ]
        .join(" ")
    };
    entries.iter().map(of).collect()
}

#[test]
fn an_application_records_itself_into_a_book_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("book.db");
    let mut settings = Settings::default();
    settings.storage.url = StorageUrl::parse(format!("sqlite://{}", file.display())).unwrap();
    System::new().block_on(async {
        let book = embedded::open(&settings).await.unwrap();
        let recorder = book.recorder.clone();
        let lived = web::block(move || {
            let tasks = Tasks::serve(recorder.clone(), Some(recorder));
            tasks.live_through_everything();
            tasks
        });
        let tasks = lived.await.unwrap();
        let reader = daybook::storage::Address::parse(settings.storage.url.as_str())
            .unwrap()
            .open_reader(1)
            .unwrap();
        let looked = web::block(move || {
            until("the client that went away", || {
                let last = reader.head().unwrap().last_seq;
                (last >= 5).then_some(())
            });
            tasks.stop();
            reader
        });
        let reader = looked.await.unwrap();
        book.stop().await;
        assert_eq!(reader.head().unwrap().last_seq, 5);
        let mut lines = Vec::new();
        export(reader.as_ref(), &mut lines);
        assert_eq!(
            told(&lines),
            [
                "request.completed PUT /tasks/{id} 42 anna",
                "task.completed POST /tasks/{id}/complete 7 bob",
                "request.completed POST /tasks/{id}/notes 8 anonymous",
                "request.failed POST /breaks - anonymous",
                "request.aborted POST /never/{id} - anonymous",
            ]
        );
        assert_eq!(lines[3]["metadata"]["panicked"], true);
        assert_eq!(lines[3]["severity"], "error");
        assert_eq!(lines[4]["severity"], "warning");
        assert_eq!(lines[4]["metadata"].get("status"), None);
        assert!(!format!("{lines:?}").contains("hunter2"));
    });
}

fn export(reader: &dyn daybook::storage::EntryReader, lines: &mut Vec<Value>) {
    use daybook::access::{Principal, Scope};
    use daybook::domain::{Filter, PageRequest, PageSize, Position};
    let scope = Scope::of(&Principal::anonymous(), Some("*")).unwrap();
    let request = PageRequest {
        position: Position::After(0),
        size: PageSize::new(500).unwrap(),
    };
    let stretch = daybook::storage::Stretch::default();
    let page = reader
        .page(&scope, &Filter::default(), request, stretch)
        .unwrap();
    let items = page.items.iter();
    lines.extend(items.map(|stored| serde_json::to_value(&stored.entry).unwrap()));
}

#[test]
fn an_application_records_itself_into_a_daemon() {
    let daybook = TestDaybook::start();
    let remote = Remote::to(format!("http://{}", daybook.address))
        .start()
        .unwrap();
    let tasks = Tasks::serve(remote.clone(), None);
    tasks.live_through_everything();
    until("the client that went away", || {
        (remote.sent() >= 5).then_some(())
    });
    assert!(remote.flush(Duration::from_secs(30)));
    tasks.stop();
    let page = daybook.page("after_seq=0&limit=500");
    let entries = page["items"].as_array().unwrap();
    assert_eq!(
        told(entries),
        [
            "request.completed PUT /tasks/{id} 42 anna",
            "request.completed POST /tasks/{id}/complete 7 anonymous",
            "request.completed POST /tasks/{id}/notes 8 anonymous",
            "request.failed POST /breaks - anonymous",
            "request.aborted POST /never/{id} - anonymous",
        ]
    );
    assert_eq!(entries[0]["ip_address"], "127.0.0.1");
    assert_eq!(entries[0]["user_agent"], "curl/8");
    assert_eq!(entries[0]["entity_type"], "task");
    assert_eq!((remote.sent(), remote.lost(), remote.waiting()), (5, 0, 0));
}

#[test]
fn an_application_with_a_key_records_as_its_key_and_says_who_it_was_where_it_may() {
    let daybook = TestDaybook::start();
    daybook.sign_in("olga");
    for (speaks, actor, reported) in [(false, "app", json!("anna")), (true, "anna", Value::Null)] {
        let key = json!({"label": if speaks { "voice" } else { "app" }, "scopes": ["write"], "workspace_id": "a",
            "speaks_for_others": speaks});
        let remote = Remote::to(format!("http://{}", daybook.address))
            .key(daybook.make_key(&key))
            .speaks_for_others(speaks)
            .start()
            .unwrap();
        remote.take_in(Entity::task("1").by("anna").created());
        assert!(remote.flush(Duration::from_secs(30)));
        assert_eq!((remote.sent(), remote.lost()), (1, 0));
        let newest = daybook.page("workspace_id=a&limit=1")["items"][0].take();
        assert_eq!(newest["actor"], actor);
        assert_eq!(newest["metadata"]["reported_actor"], reported);
        assert_eq!(newest["workspace_id"], "a");
    }
}

#[test]
fn what_a_daemon_refuses_for_good_is_counted_as_lost_and_the_rest_arrives() {
    let daybook = TestDaybook::start();
    let remote = Remote::to(format!("http://{}", daybook.address))
        .start()
        .unwrap();
    for task in ["1", "2", "3"] {
        remote.take_in(Entity::task(task).by("anna").created());
        remote.take_in(Draft::default());
    }
    assert!(remote.flush(Duration::from_secs(30)));
    assert_eq!((remote.sent(), remote.lost()), (3, 3));
    assert_eq!(daybook.count(), 3);
}

#[test]
fn a_daemon_that_takes_less_at_once_gets_less_at_once() {
    let daybook = TestDaybook::with("[limits]\nbulk_entries = 3");
    let remote = Remote::to(format!("http://{}", daybook.address))
        .start()
        .unwrap();
    for task in 0..100 {
        remote.take_in(Entity::task(task.to_string()).by("anna").created());
    }
    assert!(remote.flush(Duration::from_secs(30)));
    assert_eq!(
        (remote.sent(), remote.lost(), daybook.count()),
        (100, 0, 100)
    );
    let ids = super::client::each(&daybook.page("after_seq=0&limit=500"), "entity_id").join(" ");
    let in_order: Vec<String> = (0..100).map(|task| task.to_string()).collect();
    assert_eq!(ids, in_order.join(" "));
}

#[test]
fn a_daemon_that_comes_back_gets_what_waited_and_each_entry_once() {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = there.local_addr().unwrap();
    let remote = Remote::to(format!("http://{address}")).key("dbk_a_b");
    let remote = remote.start().unwrap();
    for task in 0..50 {
        remote.take_in(Entity::task(task.to_string()).by("anna").created());
    }
    // It takes the batch and says nothing: nobody knows then whether it is recorded.
    let (first, _) = there.accept().unwrap();
    let (head, batch) = request_on(&first);
    assert!(head.contains("authorization: bearer dbk_a_b"), "{head}");
    drop((first, there));
    let daybook = TestDaybook::at(address);
    daybook.post(&[super::client::NDJSON], &batch).ok();
    assert!(remote.flush(Duration::from_secs(30)));
    assert_eq!((remote.lost(), daybook.count()), (0, 50));
}

/// The head, in lower case, and the body of one request, which says how long it is.
fn request_on(connection: &TcpStream) -> (String, String) {
    use std::io::{BufRead, BufReader, Read};
    let mut reader = BufReader::new(connection);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.to_ascii_lowercase();
        if let Some(given) = line.strip_prefix("content-length:") {
            length = given.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}
