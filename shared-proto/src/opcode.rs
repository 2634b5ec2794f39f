//! The number table of operations. Numbers are pinned by a test and never used again.

/// What one step of a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // The names are the documentation; SPEC.md gives operands and results.
pub enum Opcode {
    Text = 0x00,
    Bytes = 0x01,
    Integer = 0x02,
    Concat = 0x03,
    Emit = 0x04,
    Chat = 0x10,
    Complete = 0x11,
    Code = 0x12,
    Summarize = 0x13,
    Embed = 0x14,
    Generate = 0x20,
    Edit = 0x21,
    Upscale = 0x22,
    Variation = 0x23,
    Fit = 0x24,
    List = 0x30,
    Metadata = 0x31,
    Get = 0x32,
    Put = 0x33,
    Delete = 0x34,
    Fetch = 0x35,
    JobRun = 0x40,
    JobStatus = 0x41,
    JobResult = 0x42,
    JobCancel = 0x43,
    Status = 0x50,
    Capabilities = 0x51,
    Resources = 0x52,
    Health = 0x53,
}

impl Opcode {
    /// Every opcode, in order of its number.
    pub const ALL: [Self; 29] = [
        Self::Text,
        Self::Bytes,
        Self::Integer,
        Self::Concat,
        Self::Emit,
        Self::Chat,
        Self::Complete,
        Self::Code,
        Self::Summarize,
        Self::Embed,
        Self::Generate,
        Self::Edit,
        Self::Upscale,
        Self::Variation,
        Self::Fit,
        Self::List,
        Self::Metadata,
        Self::Get,
        Self::Put,
        Self::Delete,
        Self::Fetch,
        Self::JobRun,
        Self::JobStatus,
        Self::JobResult,
        Self::JobCancel,
        Self::Status,
        Self::Capabilities,
        Self::Resources,
        Self::Health,
    ];

    /// The opcode with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|op| *op as u8 == number)
    }

    /// Group and name, as people and errors say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "core.text",
            Self::Bytes => "core.bytes",
            Self::Integer => "core.integer",
            Self::Concat => "core.concat",
            Self::Emit => "core.emit",
            Self::Chat => "language.chat",
            Self::Complete => "language.complete",
            Self::Code => "language.code",
            Self::Summarize => "language.summarize",
            Self::Embed => "language.embed",
            Self::Generate => "image.generate",
            Self::Edit => "image.edit",
            Self::Upscale => "image.upscale",
            Self::Variation => "image.variation",
            Self::Fit => "image.fit",
            Self::List => "files.list",
            Self::Metadata => "files.metadata",
            Self::Get => "files.get",
            Self::Put => "files.put",
            Self::Delete => "files.delete",
            Self::Fetch => "files.fetch",
            Self::JobRun => "jobs.run",
            Self::JobStatus => "jobs.status",
            Self::JobResult => "jobs.result",
            Self::JobCancel => "jobs.cancel",
            Self::Status => "system.status",
            Self::Capabilities => "system.capabilities",
            Self::Resources => "system.resources",
            Self::Health => "system.health",
        }
    }

    /// The operation that permission is about; `None` for core operations and for jobs, which this version
    /// refuses before anybody is asked.
    #[must_use]
    pub fn operation(self) -> Option<Operation> {
        Operation::ALL
            .into_iter()
            .find(|operation| *operation as u8 == self as u8)
    }
}

/// A service of the laptop.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Service {
    Language = 0,
    Image = 1,
    Files = 2,
    System = 3,
}

/// What a device may be allowed to do. Numbered as its opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Operation {
    Chat = 0x10,
    Complete = 0x11,
    Code = 0x12,
    Summarize = 0x13,
    Embed = 0x14,
    Generate = 0x20,
    Edit = 0x21,
    Upscale = 0x22,
    Variation = 0x23,
    Fit = 0x24,
    List = 0x30,
    Metadata = 0x31,
    Get = 0x32,
    Put = 0x33,
    Delete = 0x34,
    Fetch = 0x35,
    Status = 0x50,
    Capabilities = 0x51,
    Resources = 0x52,
    Health = 0x53,
}

impl Operation {
    /// Every operation, in order of its number.
    pub const ALL: [Self; 20] = [
        Self::Chat,
        Self::Complete,
        Self::Code,
        Self::Summarize,
        Self::Embed,
        Self::Generate,
        Self::Edit,
        Self::Upscale,
        Self::Variation,
        Self::Fit,
        Self::List,
        Self::Metadata,
        Self::Get,
        Self::Put,
        Self::Delete,
        Self::Fetch,
        Self::Status,
        Self::Capabilities,
        Self::Resources,
        Self::Health,
    ];

    /// The operation with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| *operation as u8 == number)
    }

    /// One word, as `officectl` and the permission file write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Complete => "complete",
            Self::Code => "code",
            Self::Summarize => "summarize",
            Self::Embed => "embed",
            Self::Generate => "generate",
            Self::Edit => "edit",
            Self::Upscale => "upscale",
            Self::Variation => "variation",
            Self::Fit => "fit",
            Self::List => "list",
            Self::Metadata => "metadata",
            Self::Get => "get",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Fetch => "fetch",
            Self::Status => "status",
            Self::Capabilities => "capabilities",
            Self::Resources => "resources",
            Self::Health => "health",
        }
    }

    /// The operation that `name` names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }

    /// The service that carries it out.
    #[must_use]
    pub const fn service(self) -> Service {
        match self {
            Self::Chat | Self::Complete | Self::Code | Self::Summarize | Self::Embed => {
                Service::Language
            }
            Self::Generate | Self::Edit | Self::Upscale | Self::Variation | Self::Fit => {
                Service::Image
            }
            Self::List | Self::Metadata | Self::Get | Self::Put | Self::Delete | Self::Fetch => {
                Service::Files
            }
            Self::Status | Self::Capabilities | Self::Resources | Self::Health => Service::System,
        }
    }
}

impl serde::Serialize for Operation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

impl<'de> serde::Deserialize<'de> for Operation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom("unknown operation"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pinned() {
        let numbers: [u8; 29] = Opcode::ALL.map(|op| op as u8);
        assert_eq!(
            numbers,
            [
                0x00, 0x01, 0x02, 0x03, 0x04, 0x10, 0x11, 0x12, 0x13, 0x14, 0x20, 0x21, 0x22, 0x23,
                0x24, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x40, 0x41, 0x42, 0x43, 0x50, 0x51, 0x52,
                0x53
            ]
        );
        for op in Opcode::ALL {
            assert_eq!(Opcode::from_number(op as u8), Some(op));
        }
        assert_eq!(Opcode::from_number(0x05), None);
    }

    #[test]
    fn every_opcode_outside_core_and_jobs_is_an_operation_of_the_same_number() {
        for op in Opcode::ALL {
            let number = op as u8;
            let expected = number >= 0x10 && !(0x40..0x50).contains(&number);
            assert_eq!(op.operation().is_some(), expected, "{}", op.name());
            if let Some(operation) = op.operation() {
                assert_eq!(operation as u8, number);
                assert_eq!(Operation::from_name(operation.name()), Some(operation));
            }
        }
    }
}
