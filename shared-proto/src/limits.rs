//! Every cap on the wire, with its reason. Both sides enforce all of them.

/// Version of frames, messages and programs. A peer with another version is refused by name.
pub const PROTOCOL_VERSION: u16 = 1;

/// Longest frame payload in octets: one Data chunk or one program with room to spare, small enough that a
/// device with 1 GB never feels it.
pub const MAX_FRAME_LEN: usize = 32 * 1024;

/// Longest frame header: one octet of kind and three of length.
pub const MAX_FRAME_HEADER_LEN: usize = 4;

/// Longest program in octets. Anything longer travels as an uploaded blob.
pub const MAX_PROGRAM_LEN: usize = 16 * 1024;

/// Most constants in a program. Fits the 64 reference numbers below the results.
pub const MAX_CONSTS: usize = 64;

/// Most operations in a program: the longest chain anyone wrote by hand had eight.
pub const MAX_OPS: usize = 32;

/// Most parts of one `concat`.
pub const MAX_PARTS: usize = 16;

/// Longest text of one value in octets: a book chapter; a chat answer is a hundredth of it.
pub const MAX_TEXT_LEN: u64 = 1024 * 1024;

/// Largest value of any kind in octets: a file of 512 MiB, the default quota of a drop folder.
pub const MAX_VALUE_LEN: u64 = 512 * 1024 * 1024;

/// Longest model name in octets, provider included.
pub const MAX_MODEL_LEN: usize = 128;

/// Longest path in a drop folder in octets: FAT's and ext4's limit for one name.
pub const MAX_PATH_LEN: usize = 255;

/// Longest URL in octets, as browsers accept it everywhere.
pub const MAX_URL_LEN: usize = 2048;

/// Most tokens one language operation may ask for.
pub const MAX_TOKENS: u32 = 16 * 1024;

/// Most texts of one embed: with the longest vectors their result is 16 MiB, what the laptop holds of one value in memory.
pub const MAX_EMBED_TEXTS: u16 = 512;

/// Most numbers of one vector: twice what the largest public embedding models have.
pub const MAX_DIMENSIONS: u16 = 8192;

/// Widest and highest picture in pixels.
pub const MAX_SIDE: u16 = 2048;

/// Narrowest and lowest picture in pixels: what every image server accepts.
pub const MIN_SIDE: u16 = 16;

/// Most steps of one picture.
pub const MAX_STEPS: u8 = 100;

/// Octets of text that one token stands for at the most, for the bound on what an answer can weigh.
pub const MAX_TOKEN_LEN: u64 = 16;

/// Longest device, model or provider name that a message carries, in octets.
pub const MAX_NAME_LEN: usize = 64;

/// Longest explanation in a `Failed`, in octets.
pub const MAX_DETAIL_LEN: usize = 512;

/// Most requests alive on one session.
pub const MAX_LIVE_REQUESTS: usize = 16;

/// Most models that a `Welcome` lists.
pub const MAX_MODELS: usize = 64;

/// Octets of one Data chunk before compression.
pub const MAX_CHUNK_LEN: usize = 16 * 1024;

/// What a stream may send before the first `Credit`, counted from where it starts or resumes.
pub const INITIAL_WINDOW: u64 = 64 * 1024;

/// How far a receiver lets a stream run ahead of what it has put away.
pub const WINDOW: u64 = 256 * 1024;

/// Octets that a session queues for sending before it refuses more Data.
pub const MAX_TRANSMIT_LEN: usize = 256 * 1024;

/// Silence after which the handheld asks whether the laptop is still there. One exchange in four seconds
/// stays below one packet a second when idle.
pub const PING_AFTER_MS: u64 = 4_000;

/// Silence after which either side takes the link as dead.
pub const DEAD_AFTER_MS: u64 = 10_000;

/// Time for the first message after the channel stands.
pub const GREETING_TIMEOUT_MS: u64 = 5_000;
