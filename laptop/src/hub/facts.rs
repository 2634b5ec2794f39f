//! The laptop as one request sees it.

use super::drawer::{Drawer, NoFolder};
use super::uploads::fault;
use super::work::{Work, store_fault};
use super::{Hub, Submission};
use crate::executor::{Content, Contexts, Fault, Files, SystemView, Turn, World};
use crate::files::DropFolder;
use crate::ipc::{AllowedUrl, PictureFormat, Screen, ServiceClient};
use crate::paths::room_at;
use crate::policy::{OpPermit, Size, recheck};
use crate::store::Kind;
use shared_proto::opcode::{Operation, Service};
use shared_proto::picture::Format;
use std::sync::Arc;

/// See the module.
pub(super) struct Facts {
    hub: Arc<Hub>,
    work: Arc<Work>,
    files: Box<dyn Files + Sync>,
    screen: Screen,
}

impl Facts {
    pub(super) fn new(
        hub: &Arc<Hub>,
        work: &Arc<Work>,
        submission: &Submission,
    ) -> Result<Self, Fault> {
        let (relationship, _) = hub.relationship(work.relationship).map_err(store_fault)?;
        let settings = hub.settings();
        let files: Box<dyn Files + Sync> = match relationship.kind {
            Kind::Device => Box::new(Drawer {
                folder: DropFolder::open(&settings.files, &relationship.folder, settings.quota)
                    .map_err(fault)?,
                time: hub.store.local_time(hub.wall()).map_err(store_fault)?,
            }),
            Kind::Caller => Box::new(NoFolder),
        };
        let accepts = Format::ALL
            .into_iter()
            .filter(|format| submission.formats & format.bit() != 0);
        let screen = Screen {
            width: submission.screen.width,
            height: submission.screen.height,
            accepts: accepts
                .map(|format| match format {
                    Format::Jpeg => PictureFormat::Jpeg,
                    Format::Png => PictureFormat::Png,
                    Format::Rgb565 => PictureFormat::Rgb565Zstd,
                    Format::WebP => PictureFormat::WebP,
                })
                .collect(),
        };
        Ok(Self {
            hub: Arc::clone(hub),
            work: Arc::clone(work),
            files,
            screen,
        })
    }
}

impl World for Facts {
    fn relationship(&self) -> i64 {
        self.work.relationship
    }

    fn recheck(&self, permit: &OpPermit) -> Result<(), Fault> {
        // Said before the profile is read: a change that this does not see yet finds the operation under way.
        self.work.enter(permit.effect());
        let (_, profile) = self
            .hub
            .relationship(self.work.relationship)
            .map_err(store_fault)?;
        self.hub.check_on(permit.effect())?;
        recheck(permit.effect(), &profile).map_err(Fault::from)
    }

    fn turn(&self, permit: &OpPermit) -> Result<Turn, Fault> {
        let effect = permit.effect();
        let line = match effect.operation.service() {
            Service::Language => &self.hub.texts,
            // The laptop's own doing, and quick.
            Service::Image if effect.operation == Operation::Fit => return Ok(Turn::free()),
            Service::Image => &self.hub.pictures,
            Service::Files | Service::System => return Ok(Turn::free()),
        };
        let size = match self.hub.catalogue.is_elsewhere(effect) {
            true => Size::Elsewhere,
            false => Size::of(effect.bound),
        };
        line.take(&self.work, size)
    }

    fn language(&self) -> &ServiceClient {
        &self.hub.services.language
    }

    fn models_off(&self) -> Vec<String> {
        self.hub.catalogue.off().iter().cloned().collect()
    }

    fn image(&self) -> &ServiceClient {
        &self.hub.services.image
    }

    fn downloads(&self) -> &ServiceClient {
        &self.hub.services.downloads
    }

    fn allowed_urls(&self) -> Vec<AllowedUrl> {
        let urls = self
            .hub
            .relationship(self.work.relationship)
            .map(|(_, profile)| profile.urls)
            .unwrap_or_default();
        urls.iter()
            .map(|url| AllowedUrl {
                pattern: url.prefix().to_owned(),
                private: url.is_private(),
            })
            .collect()
    }

    fn screen(&self) -> Screen {
        self.screen.clone()
    }

    fn contexts(&self) -> &Contexts {
        &self.hub.contexts
    }

    fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    fn blob(&self, constant: u8) -> Result<Content, Fault> {
        self.work.uploads.content(constant)
    }

    fn scratch(&self) -> Result<std::fs::File, Fault> {
        let name = format!("scratch-{}-{}", self.work.relationship, self.work.id().0);
        let path = self.hub.settings().scratch.join(name);
        let open = || {
            std::fs::create_dir_all(&self.hub.settings().scratch)?;
            let file = std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)?;
            // Nobody else needs the name, and a kill leaves nothing behind.
            std::fs::remove_file(&path)?;
            Ok(file)
        };
        open().map_err(|error: std::io::Error| Fault::disk(&error))
    }

    fn system(&self) -> SystemView {
        let hub = &self.hub;
        let expires_at = hub
            .relationship(self.work.relationship)
            .map_or(0, |(known, _)| known.expires_at);
        SystemView {
            name: hub.settings().name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: hub.now().0 / 1000,
            running: u16::try_from(hub.running(self.work.relationship)).unwrap_or(u16::MAX),
            expires_in_s: u64::try_from(expires_at - hub.wall()).unwrap_or(0),
            cpus: std::thread::available_parallelism().map_or(1, |count| count.get() as u16),
            load_hundredths: load(),
            memory: memory(),
            disk_free: room_at(&hub.settings().files).unwrap_or(0),
        }
    }
}

/// Load over a minute, from `/proc/loadavg`; zero where it cannot be read.
fn load() -> u32 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f32 = text
        .split(' ')
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or(0.0);
    (load * 100.0) as u32
}

/// Memory, whole and available in octets, from `/proc/meminfo`; zeros where it cannot be read.
fn memory() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib * 1024)
    };
    (
        field("MemTotal:").unwrap_or(0),
        field("MemAvailable:").unwrap_or(0),
    )
}
