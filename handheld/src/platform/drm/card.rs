//! A graphics device of the kernel: finds the panel, gives it memory of ours to read, and puts back what was there.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use ::drm::buffer::{Buffer, DrmFourcc};
use ::drm::control::dumbbuffer::{DumbBuffer, DumbMapping};
use ::drm::control::{ClipRect, Mode, ModeTypeFlags, connector, crtc, framebuffer};
use ::drm::{Device, DriverCapability, control::Device as _};

use super::scanout::{Format, Placement, SMALLEST, Turn};
use crate::platform::Area;

/// Where Linux keeps graphics devices.
pub const FOLDER: &str = "/dev/dri";

/// An open device node.
#[derive(Debug)]
struct Node(File);

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Device for Node {}
impl ::drm::control::Device for Node {}

/// A panel that reads memory of ours.
pub struct Scanout {
    node: Node,
    crtc: crtc::Info,
    connector: connector::Handle,
    framebuffer: framebuffer::Handle,
    buffer: DumbBuffer,
    memory: DumbMapping<'static>,
    format: Format,
    /// Where the frame stands on it.
    pub placement: Placement,
    /// Whether the driver must be told what changed.
    tell: bool,
    /// What the panel showed before.
    before: Option<Mode>,
}

/// Opens the first device that has a panel.
///
/// # Errors
/// A sentence: what each device lacks, or what is missing altogether.
pub fn open(folder: &Path, turn: Option<Turn>) -> Result<Scanout, String> {
    let nodes = nodes(folder)?;
    let mut refusals = Vec::new();
    for path in &nodes {
        match open_node(path, turn) {
            Ok(scanout) => return Ok(scanout),
            Err(reason) => refusals.push(format!("{}: {reason}", path.display())),
        }
    }
    Err(refusals.join("; "))
}

/// The nodes that may have a panel, in order of their numbers.
fn nodes(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let missing = || {
        format!(
            "there is no {}/card0. The kernel has no graphics driver for this panel loaded, or none with DRM, as the \
             vendor's kernels of some handhelds; there only SDL can show anything",
            folder.display()
        )
    };
    let entries = std::fs::read_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(),
        _ => format!("{} cannot be listed: {error}", folder.display()),
    })?;
    let mut nodes: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = name.strip_prefix("card")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    nodes.sort();
    if nodes.is_empty() {
        return Err(missing());
    }
    Ok(nodes.into_iter().map(|(_, path)| path).collect())
}

fn open_node(path: &Path, turn: Option<Turn>) -> Result<Scanout, String> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "it may not be opened. The user needs to be in the group that owns it, mostly video"
                    .to_owned()
            }
            _ => format!("it cannot be opened: {error}"),
        })?;
    let node = Node(file);
    // A device that only computes has neither.
    let dumb = node.get_driver_capability(DriverCapability::DumbBuffer);
    if !matches!(dumb, Ok(1)) {
        return Err("it has no panel, or gives no memory to show".to_owned());
    }
    let resources = node
        .resource_handles()
        .map_err(|error| format!("it has no panel: {error}"))?;
    let mut connected = Vec::new();
    for &handle in resources.connectors() {
        // Probing finds out what is plugged in since the kernel last looked.
        let info = node
            .get_connector(handle, true)
            .map_err(|error| format!("a connector cannot be asked: {error}"))?;
        if info.state() == connector::State::Connected && !info.modes().is_empty() {
            connected.push(info);
        }
    }
    // The panel inside the case before what is plugged in.
    connected.sort_by_key(|info| !is_built_in(info.interface()));
    let panel = connected
        .first()
        .ok_or("nothing is connected to it that can show a picture")?;
    let mode = mode(panel.modes()).ok_or("its panel has no mode")?;
    let crtc = crtc_for(&node, &resources, panel)?;

    let size = (u32::from(mode.size().0), u32::from(mode.size().1));
    let turn = turn.unwrap_or_else(|| turn_of(&node, panel.handle(), size));
    let seen = turn.seen(size);
    if seen.0 < SMALLEST.0 || seen.1 < SMALLEST.1 {
        return Err(format!(
            "its panel has {}x{} pixels, and the app needs {}x{}",
            seen.0, seen.1, SMALLEST.0, SMALLEST.1
        ));
    }
    let placement = Placement::new(size, turn);
    // Refused while another program is it; setting the mode then says so.
    drop(node.acquire_master_lock());
    let before = crtc.mode();
    let mut refused = String::new();
    for format in [Format::Rgb565, Format::Xrgb8888] {
        match show(&node, &crtc, panel.handle(), mode, format) {
            Ok((buffer, framebuffer, memory)) => {
                log::info!(
                    "{}: {}x{}, {format:?}, {placement:?}",
                    path.display(),
                    size.0,
                    size.1
                );
                return Ok(Scanout {
                    connector: panel.handle(),
                    node,
                    crtc,
                    framebuffer,
                    buffer,
                    memory,
                    format,
                    placement,
                    tell: true,
                    before,
                });
            }
            Err(error) => {
                log::debug!("{}: {format:?} is refused: {error}", path.display());
                refused = match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        "another program holds the screen. End it, or start the app from its menu"
                            .to_owned()
                    }
                    _ => format!("it takes no picture of ours: {error}"),
                };
            }
        }
    }
    Err(refused)
}

fn is_built_in(interface: connector::Interface) -> bool {
    use connector::Interface::{DPI, DSI, EmbeddedDisplayPort, LVDS, SPI, Virtual};
    matches!(
        interface,
        DSI | LVDS | DPI | EmbeddedDisplayPort | SPI | Virtual
    )
}

/// The mode that the panel prefers, else the largest.
fn mode(modes: &[Mode]) -> Option<Mode> {
    let pixels = |mode: &&Mode| u32::from(mode.size().0) * u32::from(mode.size().1);
    modes
        .iter()
        .find(|mode| mode.mode_type().contains(ModeTypeFlags::PREFERRED))
        .or_else(|| modes.iter().max_by_key(pixels))
        .copied()
}

/// The part of the device that feeds the panel: the one that does so already, else the first that can.
fn crtc_for(
    node: &Node,
    resources: &::drm::control::ResourceHandles,
    panel: &connector::Info,
) -> Result<crtc::Info, String> {
    let failed = |error: io::Error| format!("its panel cannot be asked: {error}");
    let encoder = |handle| node.get_encoder(handle).map_err(failed);
    let mut found = match panel.current_encoder() {
        Some(handle) => encoder(handle)?.crtc(),
        None => None,
    };
    for &handle in panel.encoders() {
        if found.is_some() {
            break;
        }
        let possible = resources.filter_crtcs(encoder(handle)?.possible_crtcs());
        found = possible.first().copied();
    }
    let handle = found.ok_or("nothing in it can feed its panel")?;
    node.get_crtc(handle).map_err(failed)
}

/// How the panel is mounted: what the kernel says; a panel that is higher than wide and says nothing is taken to be
/// turned a quarter, since no handheld of this kind is held upright.
fn turn_of(node: &Node, panel: connector::Handle, size: (u32, u32)) -> Turn {
    let said = || -> io::Result<Option<Turn>> {
        for (property, value) in &node.get_properties(panel)? {
            let info = node.get_property(*property)?;
            if info.name().to_bytes() != b"panel orientation" {
                continue;
            }
            let name = info.value_type().convert_value(*value).as_enum();
            return Ok(name.and_then(|v| Turn::from_orientation(&v.name().to_string_lossy())));
        }
        Ok(None)
    };
    match said() {
        Ok(Some(turn)) => turn,
        _ if size.0 < size.1 => Turn::Clockwise,
        _ => Turn::None,
    }
}

type Shown = (DumbBuffer, framebuffer::Handle, DumbMapping<'static>);

/// Makes memory, black, and lets the panel read it.
fn show(
    node: &Node,
    crtc: &crtc::Info,
    panel: connector::Handle,
    mode: Mode,
    format: Format,
) -> io::Result<Shown> {
    let (fourcc, depth, bits) = match format {
        Format::Rgb565 => (DrmFourcc::Rgb565, 16, 16),
        Format::Xrgb8888 => (DrmFourcc::Xrgb8888, 24, 32),
    };
    let size = (u32::from(mode.size().0), u32::from(mode.size().1));
    let buffer = node.create_dumb_buffer(size, fourcc, bits)?;
    let framebuffer = match node.add_framebuffer(&buffer, depth, bits) {
        Ok(framebuffer) => framebuffer,
        Err(error) => {
            drop(node.destroy_dumb_buffer(buffer));
            return Err(error);
        }
    };
    let shown = (|| {
        // The mapping borrows only the description of the buffer, forty octets that stay for the process's life.
        let mut memory = node.map_dumb_buffer(Box::leak(Box::new(buffer)))?;
        memory.fill(0);
        node.set_crtc(
            crtc.handle(),
            Some(framebuffer),
            (0, 0),
            &[panel],
            Some(mode),
        )?;
        Ok(memory)
    })();
    match shown {
        Ok(memory) => Ok((buffer, framebuffer, memory)),
        Err(error) => {
            drop(node.destroy_framebuffer(framebuffer));
            drop(node.destroy_dumb_buffer(buffer));
            Err(error)
        }
    }
}

impl Scanout {
    /// Shows `dirty` parts of a whole frame of RGB565 `pixels`. Some drivers wait for the panel here.
    ///
    /// # Errors
    /// The device is gone.
    pub fn update(&mut self, pixels: &[u16], dirty: &[Area]) -> io::Result<()> {
        let pitch = self.buffer.pitch() as usize;
        let mut clips = Vec::with_capacity(dirty.len());
        for &area in dirty {
            let memory = &mut self.memory[..];
            let touched = self
                .placement
                .paint(memory, pitch, self.format, pixels, area);
            if !touched.is_empty() {
                // A mode's sides have sixteen bits.
                clips.push(ClipRect::new(
                    touched.x as u16,
                    touched.y as u16,
                    (touched.x + touched.width) as u16,
                    (touched.y + touched.height) as u16,
                ));
            }
        }
        if !self.tell || clips.is_empty() {
            return Ok(());
        }
        match self.node.dirty_framebuffer(self.framebuffer, &clips) {
            // Such a panel reads the memory all the time.
            Err(error) if error.raw_os_error() == Some(nix::libc::ENOSYS) => self.tell = false,
            // Another program has the screen meanwhile; it is told everything when it looks at this memory again.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => return other,
        }
        Ok(())
    }
}

impl Drop for Scanout {
    fn drop(&mut self) {
        // Best effort: where nothing was shown before, the kernel's console takes the screen when the node closes.
        if let (Some(mode), Some(framebuffer)) = (self.before, self.crtc.framebuffer()) {
            let back = self.node.set_crtc(
                self.crtc.handle(),
                Some(framebuffer),
                self.crtc.position(),
                &[self.connector],
                Some(mode),
            );
            if let Err(error) = back {
                log::debug!("what the panel showed before is gone: {error}");
            }
        }
        drop(self.node.destroy_framebuffer(self.framebuffer));
        drop(self.node.destroy_dumb_buffer(self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_without_graphics_is_told_what_is_missing() {
        let folder = std::env::temp_dir().join(format!("officeos-dri-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        let said = open(&folder, None).map(|_| ()).unwrap_err();
        assert!(said.contains("card0") && said.contains("driver"), "{said}");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("renderD128"), "").unwrap();
        assert!(
            open(&folder, None)
                .map(|_| ())
                .unwrap_err()
                .contains("card0")
        );
        // A file is no device, and each that was tried is named.
        std::fs::write(folder.join("card1"), "").unwrap();
        std::fs::write(folder.join("card0"), "").unwrap();
        let said = open(&folder, None).map(|_| ()).unwrap_err();
        let at = |name: &str| said.find(name).unwrap();
        assert!(
            at("card0") < at("card1") && said.contains("no panel"),
            "{said}"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
