//! llm-service as a process of its own, asked over its socket as the daemon asks it.

use std::path::PathBuf;
use std::process::{Child, Command};

use laptop::ipc::{
    ChatMessage, EventStream, Failure, FinishReason, Role, ServiceClient, ServiceEvent,
    ServiceRequest, TextKind, TextRequest, Usage,
};

use crate::server::Llama;
use crate::support::{Folder, PATIENCE, eventually, program};

/// A running llm-service in a folder of its own.
pub struct Service {
    child: Child,
    folder: Folder,
}

impl Service {
    /// With `settings` as its services.toml and `discovery` as places to look for servers.
    pub fn start(settings: &str, discovery: &str) -> Self {
        let folder = Folder::new("llama");
        let config = folder.path().join("services.toml");
        std::fs::write(&config, settings).unwrap();
        let child = Command::new(program("llm-service"))
            .arg("--socket")
            .arg(folder.path().join("llm.sock"))
            .arg("--config")
            .arg(&config)
            .env("OFFICEOS_DISCOVERY", discovery)
            .env_remove("OPENAI_API_KEY")
            .spawn()
            .unwrap();
        let mut service = Self { child, folder };
        eventually("llm-service to listen", || {
            let ended = service.child.try_wait().unwrap();
            assert_eq!(ended, None, "llm-service ended at its start");
            service.client().call(&ServiceRequest::Models).ok()
        });
        service
    }

    /// With `server` as the provider “attic”.
    pub fn of(server: &Llama) -> Self {
        let url = server.url("/v1");
        Self::start(
            &format!("[[provider]]\nname = 'attic'\nkind = 'openai'\nbase_url = '{url}'\n"),
            "off",
        )
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("llm.sock")
    }

    pub fn client(&self) -> ServiceClient {
        ServiceClient::same_user(self.socket())
    }

    pub fn ask(&self, model: &str, question: &str, max_tokens: u32) -> EventStream {
        let message = ChatMessage {
            role: Role::User,
            text: question.to_owned(),
        };
        let request = TextRequest {
            kind: TextKind::Chat,
            model: model.to_owned(),
            messages: vec![message],
            max_tokens,
            temperature_permille: Some(0),
        };
        let stream = self.client().call(&ServiceRequest::Text(request)).unwrap();
        stream.set_idle_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of a request.
#[derive(Debug, Default)]
pub struct Answer {
    pub provider: String,
    pub model: String,
    pub chunks: usize,
    pub text: String,
    pub usage: Option<Usage>,
    pub end: Option<Result<FinishReason, Failure>>,
}

impl Answer {
    /// Takes events until `enough`, or the end.
    pub fn take(&mut self, stream: &mut EventStream, enough: impl Fn(&Self) -> bool) {
        for event in stream {
            match event {
                ServiceEvent::Started { provider, model } => {
                    (self.provider, self.model) = (provider, model);
                }
                ServiceEvent::Text(text) => {
                    self.chunks += 1;
                    self.text.push_str(&text);
                }
                ServiceEvent::Usage(usage) => self.usage = Some(usage),
                ServiceEvent::Done(reason) => self.end = Some(Ok(reason)),
                ServiceEvent::Failed(failure) => self.end = Some(Err(failure)),
                other => panic!("unexpected in an answer: {other:?}"),
            }
            if enough(self) {
                return;
            }
        }
    }

    pub fn whole(mut stream: EventStream) -> Self {
        let mut answer = Self::default();
        answer.take(&mut stream, |_| false);
        answer
    }

    /// The first part of an answer that goes on.
    pub fn start_of(stream: &mut EventStream) -> Self {
        let mut answer = Self::default();
        answer.take(stream, |answer| answer.chunks == 25);
        assert_eq!(answer.end, None, "it goes on");
        assert_eq!(answer.chunks, 25);
        answer
    }

    pub fn failure(&self) -> &Failure {
        self.end.as_ref().unwrap().as_ref().unwrap_err()
    }
}
