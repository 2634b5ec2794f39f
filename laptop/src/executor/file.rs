//! Operations on the drop folder, and downloads.

use super::{Content, Fault, Run, Value};
use crate::ipc::{
    CancelGuard, EventStream, FetchRequest, ServiceClient, ServiceEvent, ServiceRequest,
};
use shared_proto::codec::push_postcard;
use shared_proto::error::ErrorCode;
use shared_proto::opcode::{Operation, Service};
use shared_proto::program::{Delete, Fetch, Get, List, Metadata, Put};
use shared_proto::report::{Entry, FileInfo, ListingHead};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Redirects that a download follows.
const MAX_REDIRECTS: u8 = 3;

/// A call to a service that ends with its request and no later than its operation may take.
pub(super) struct Calling<'c> {
    events: EventStream,
    deadline: Instant,
    /// Whether that is the end of the day's time rather than of the request's.
    budget: bool,
    cancel: &'c crate::ipc::CancelToken,
    _guard: CancelGuard,
}

impl Calling<'_> {
    /// The next event; the end of the stream is a fault.
    pub(super) fn next_event(&mut self) -> Result<ServiceEvent, Fault> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let late = || match self.budget {
            true => Fault::new(
                ErrorCode::QuotaExceeded,
                "today's seconds of work are used up",
            ),
            false => Fault::new(
                ErrorCode::TimedOut,
                "the service took longer than this request may",
            ),
        };
        if left.is_zero() {
            return Err(late());
        }
        self.events
            .set_idle_timeout(Some(left))
            .map_err(|error| Fault::disk(&error))?;
        let event = self.events.next();
        if self.cancel.is_cancelled() {
            return Err(Fault::cancelled());
        }
        if Instant::now() >= self.deadline {
            return Err(late());
        }
        event.ok_or_else(|| {
            Fault::new(
                ErrorCode::Internal,
                "the service said nothing after its end",
            )
        })
    }
}

/// A service said something that does not belong to what it was asked.
pub(super) fn out_of_turn(service: &str, event: &ServiceEvent) -> Fault {
    log::error!("{service} sent {event:?} out of turn");
    Fault::new(
        ErrorCode::Internal,
        format!("{service} answered something else than it was asked"),
    )
}

impl<'r> Run<'r, '_> {
    /// Places a call that a cancel of this request ends.
    pub(super) fn call(
        &self,
        client: &ServiceClient,
        request: ServiceRequest,
        op: u8,
    ) -> Result<Calling<'r>, Fault> {
        let bound = self
            .program
            .effects()
            .iter()
            .find(|effect| effect.op == op)
            .map(|e| (e.operation, e.cost.seconds));
        let seconds = bound.map_or(60, |(_, seconds)| seconds);
        // What was set aside of the day's time, where this operation is one that takes of it.
        let counted = bound.is_some_and(|(operation, _)| {
            operation != Operation::Fit
                && matches!(operation.service(), Service::Language | Service::Image)
        });
        let left = (self.permit.reserved().seconds * 1000).saturating_sub(self.worked.get());
        let bound = Duration::from_secs(seconds);
        let left = Duration::from_millis(left);
        let budget = counted && left < bound;
        // Whoever leaves the choice of a model to the service must not get one that is off.
        let request = match counted {
            true => request.without(self.world.models_off()),
            false => request,
        };
        let events = client.call(&request)?;
        let handle = events.cancel_handle();
        let guard = self.cancel.on_cancel(move || handle.cancel());
        let deadline = Instant::now() + if budget { left } else { bound };
        Ok(Calling {
            events,
            deadline,
            budget,
            cancel: self.cancel,
            _guard: guard,
        })
    }

    pub(super) fn list(&mut self, op: u8, operands: &List) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let path = self.program.text(operands.path);
        let listing = self
            .world
            .files()
            .list(path, operands.skip, operands.limit)?;
        let head = ListingHead {
            total: listing.total,
            used: listing.used,
            quota: listing.quota,
            count: listing.entries.len().min(usize::from(u16::MAX)) as u16,
        };
        let mut record = Vec::with_capacity(32 + listing.entries.len() * 48);
        append(&head, &mut record)?;
        for file in &listing.entries {
            let entry = Entry {
                name: &file.name,
                len: file.len,
                modified: file.modified,
                folder: file.folder,
            };
            append(&entry, &mut record)?;
        }
        Ok(Value::Record(record))
    }

    pub(super) fn metadata(&mut self, op: u8, operands: &Metadata) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let (len, modified, sha256) = self
            .world
            .files()
            .metadata(self.program.text(operands.path))?;
        encode(&FileInfo {
            len,
            modified,
            sha256,
        })
        .map(Value::Record)
    }

    pub(super) fn get(&mut self, op: u8, operands: &Get) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let path = self.program.text(operands.path);
        let content = Content::File(self.world.files().open(path)?);
        let len = content.len()?;
        if len > operands.max_len {
            return Err(Fault::new(
                ErrorCode::TooLarge,
                format!("{path} has {len} octets"),
            ));
        }
        self.usage.bytes += len;
        Ok(Value::Bytes(content))
    }

    pub(super) fn put(&mut self, op: u8, operands: &Put) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let content = self.content(operands.data)?;
        let len = content.len()?;
        self.world
            .files()
            .put(self.program.text(operands.path), &content, operands.write)?;
        self.usage.bytes += len;
        Ok(Value::Int(len))
    }

    pub(super) fn delete(&mut self, op: u8, operands: &Delete) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        self.world
            .files()
            .delete(self.program.text(operands.path))?;
        Ok(Value::Int(1))
    }

    pub(super) fn fetch(&mut self, op: u8, operands: &Fetch) -> Result<Value, Fault> {
        let _permit = self.enter(op)?;
        let request = FetchRequest {
            url: self.program.text(operands.url).to_owned(),
            max_bytes: operands.max_len,
            max_redirects: MAX_REDIRECTS,
            allow: self.world.allowed_urls(),
        };
        let client = self.world.downloads();
        let mut calling = self.call(client, ServiceRequest::Fetch(request), op)?;
        let mut scratch = self.world.scratch()?;
        let mut written = 0u64;
        let result = self.download(
            op,
            operands.max_len,
            &mut calling,
            &mut scratch,
            &mut written,
        );
        // What crossed the network counts, however the download ended.
        self.usage.bytes += written;
        result.map(|()| Value::Bytes(Content::File(scratch)))
    }

    fn download(
        &mut self,
        op: u8,
        max_len: u64,
        calling: &mut Calling<'_>,
        scratch: &mut std::fs::File,
        written: &mut u64,
    ) -> Result<(), Fault> {
        loop {
            match calling.next_event()? {
                ServiceEvent::Started { .. } | ServiceEvent::Head { .. } => {}
                ServiceEvent::Progress { permille, eta_s } => {
                    self.output.progress(op, permille, eta_s)
                }
                ServiceEvent::Bytes(bytes) => {
                    *written += bytes.len() as u64;
                    if *written > max_len {
                        return Err(Fault::new(
                            ErrorCode::TooLarge,
                            "the download is longer than asked for",
                        ));
                    }
                    scratch
                        .write_all(&bytes)
                        .map_err(|error| Fault::disk(&error))?;
                    self.append(op, &bytes)?;
                }
                // The same number again.
                ServiceEvent::Usage(_) => {}
                ServiceEvent::Done(_) => return Ok(()),
                ServiceEvent::Failed(failure) => return Err(failure.into()),
                other => return Err(out_of_turn("fetch-service", &other)),
            }
        }
    }
}

/// Encodes a record.
pub(super) fn encode<T: serde::Serialize>(record: &T) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    append(record, &mut out)?;
    Ok(out)
}

/// Encodes what follows in a record.
pub(super) fn append<T: serde::Serialize>(item: &T, record: &mut Vec<u8>) -> Result<(), Fault> {
    push_postcard(item, record).map_err(|error| Fault::new(ErrorCode::Internal, error.to_string()))
}
