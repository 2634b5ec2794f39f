//! Operations that ask the image service. The whole picture goes to the drop folder, a fitted one to the
//! handheld.

use super::{Fault, Painting, Run, Value};
use crate::ipc::{
    PictureFormat, PictureKind, PictureRequest, Screen, ServiceEvent, ServiceRequest,
};
use shared_proto::error::ErrorCode;
use shared_proto::picture::Format;
use shared_proto::program::{Edit, Fit, Generate, Upscale, Variation};

impl Run<'_, '_> {
    pub(super) fn generate(&mut self, op: u8, operands: &Generate) -> Result<Value, Fault> {
        let request = PictureRequest {
            model: self.program.text(operands.model).to_owned(),
            prompt: self.text(operands.prompt)?,
            negative: operands
                .negative
                .map(|negative| self.text(negative))
                .transpose()?
                .unwrap_or_default(),
            style: self.program.text(operands.style).to_owned(),
            width: operands.width,
            height: operands.height,
            steps: u16::from(operands.steps),
            seed: operands.seed.map(u64::from),
            ..self.blank(PictureKind::Generate)
        };
        self.paint(op, request)
    }

    pub(super) fn edit(&mut self, op: u8, operands: &Edit) -> Result<Value, Fault> {
        let request = PictureRequest {
            model: self.program.text(operands.model).to_owned(),
            prompt: self.text(operands.prompt)?,
            source: self.octets(operands.image)?,
            steps: u16::from(operands.steps),
            strength_permille: u16::from(operands.strength) * 10,
            ..self.blank(PictureKind::Edit)
        };
        self.paint(op, request)
    }

    pub(super) fn upscale(&mut self, op: u8, operands: &Upscale) -> Result<Value, Fault> {
        let request = PictureRequest {
            model: self.program.text(operands.model).to_owned(),
            source: self.octets(operands.image)?,
            scale: operands.factor,
            ..self.blank(PictureKind::Upscale)
        };
        self.paint(op, request)
    }

    pub(super) fn variation(&mut self, op: u8, operands: &Variation) -> Result<Value, Fault> {
        let request = PictureRequest {
            model: self.program.text(operands.model).to_owned(),
            source: self.octets(operands.image)?,
            steps: u16::from(operands.steps),
            strength_permille: u16::from(operands.strength) * 10,
            seed: operands.seed.map(u64::from),
            ..self.blank(PictureKind::Variation)
        };
        self.paint(op, request)
    }

    pub(super) fn fit(&mut self, op: u8, operands: &Fit) -> Result<Value, Fault> {
        let screen = Screen {
            width: operands.width,
            height: operands.height,
            accepts: formats(operands.formats),
        };
        let request = PictureRequest {
            source: self.octets(operands.image)?,
            screen,
            ..self.blank(PictureKind::Fit)
        };
        self.ask(op, request).map(Value::Image)
    }

    fn blank(&self, kind: PictureKind) -> PictureRequest {
        PictureRequest {
            kind,
            model: String::new(),
            prompt: String::new(),
            negative: String::new(),
            style: String::new(),
            width: 0,
            height: 0,
            steps: 0,
            seed: None,
            strength_permille: 0,
            scale: 0,
            source: Vec::new(),
            screen: self.world.screen(),
        }
    }

    /// Has a picture painted and keeps the whole of it.
    fn paint(&mut self, op: u8, request: PictureRequest) -> Result<Value, Fault> {
        let prompt = request.prompt.clone();
        let painting = self.ask(op, request)?;
        // A full drop folder must not cost the person the picture that was just painted.
        if let Err(fault) =
            self.world
                .files()
                .keep_picture(&prompt, painting.ending, &painting.original)
        {
            log::warn!("a picture was not kept in the drop folder: {fault}");
        }
        Ok(Value::Image(painting))
    }

    fn ask(&mut self, op: u8, request: PictureRequest) -> Result<Painting, Fault> {
        let _permit = self.enter(op)?;
        let counted = self.usage.pictures;
        let mut begun = false;
        let result = self.watch(op, request, &mut begun);
        // A provider bills what it has begun, and whoever breaks off does not hear the count.
        if let Err(fault) = &result
            && begun
            && self.usage.pictures == counted
            && fault.is_broken_off()
        {
            self.usage.pictures += 1;
        }
        result
    }

    fn watch(
        &mut self,
        op: u8,
        request: PictureRequest,
        begun: &mut bool,
    ) -> Result<Painting, Fault> {
        let client = self.world.image();
        let mut calling = self.call(client, ServiceRequest::Picture(request), op)?;
        let mut painting = None;
        loop {
            match calling.next_event()? {
                ServiceEvent::Started { provider, model } => {
                    *begun = true;
                    self.output.started(op, &format!("{provider}/{model}"))
                }
                ServiceEvent::Progress { permille, eta_s } => {
                    self.output.progress(op, permille, eta_s)
                }
                ServiceEvent::Picture(picture) => painting = Some(Painting::from(picture)),
                ServiceEvent::Usage(usage) => self.usage.pictures += usage.pictures,
                ServiceEvent::Failed(failure) => return Err(failure.into()),
                ServiceEvent::Done(_) => {
                    return painting.ok_or_else(|| {
                        Fault::new(ErrorCode::BadImage, "the image service sent no picture")
                    });
                }
                other => return Err(super::file::out_of_turn("image-service", &other)),
            }
        }
    }
}

fn formats(bits: u8) -> Vec<PictureFormat> {
    Format::ALL
        .into_iter()
        .filter(|format| bits & format.bit() != 0)
        .map(|format| match format {
            Format::Jpeg => PictureFormat::Jpeg,
            Format::Png => PictureFormat::Png,
            Format::Rgb565 => PictureFormat::Rgb565Zstd,
            Format::WebP => PictureFormat::WebP,
        })
        .collect()
}
