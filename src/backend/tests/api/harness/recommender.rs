//! A stand-in for the recommendation service that answers what a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use tokio::net::TcpListener;

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This, with status 200.
    Json(Value),
    /// This text, which says that it is JSON.
    Nonsense(&'static str),
    /// An error.
    Status(u16),
    /// The way to somebody else.
    Redirect(String),
    /// Nothing, ever.
    Silence,
}

struct Shared {
    reply: Reply,
    asked: Vec<String>,
}

/// The stand-in.
#[derive(Clone)]
pub(crate) struct Recommender {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl Recommender {
    /// Starts it.
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared { reply, asked: Vec::new() }));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what it answers.
    pub(crate) fn reply(&self, reply: Reply) {
        self.shared.lock().expect("no test panicked in here").reply = reply;
    }

    /// The paths and queries that it was asked since the last look.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().expect("no test panicked in here").asked)
    }
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, request: Request) -> Response {
    let reply = {
        let mut shared = shared.lock().expect("no test panicked in here");
        shared.asked.push(request.uri().to_string());
        shared.reply.clone()
    };
    let json = |text: String| ([("content-type", "application/json")], text).into_response();
    match reply {
        Reply::Json(value) => json(value.to_string()),
        Reply::Nonsense(text) => json(text.to_owned()),
        Reply::Redirect(to) => Redirect::temporary(&to).into_response(),
        Reply::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
