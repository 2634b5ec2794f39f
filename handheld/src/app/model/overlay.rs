//! What lies above a screen: menu, dialog, button map, toast.

use super::ListState;
use super::chat::{ChatId, ChatKind};
use super::laptop::LaptopId;
use super::outbox::RequestKey;
use super::picture::PictureId;
use super::screen::Purpose;
use crate::time::Millis;

/// Something above the screen that takes all buttons.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// Things to choose from.
    Menu(Menu),
    /// A question or an error.
    Dialog(Dialog),
    /// The button map of the screen below, shown while Select is held.
    ButtonMap,
}

/// Things to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct Menu {
    /// Title.
    pub title: String,
    /// Items, at least one.
    pub items: Vec<MenuItem>,
    /// Focus.
    pub list: ListState,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq)]
pub struct MenuItem {
    /// One or two words, verb first.
    pub label: String,
    /// More, in muted words on the right: the present value, or why it cannot be chosen.
    pub note: String,
    /// It can be chosen.
    pub enabled: bool,
    /// This is the present value.
    pub current: bool,
    /// What it does.
    pub action: Action,
}

/// A question or an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    /// It tells of an error (mark and colour), not a question.
    pub error: bool,
    /// Title: what happened, or what is asked.
    pub title: String,
    /// Paragraphs: whose fault, what is safe, what to do.
    pub body: Vec<String>,
    /// Label and effect of the confirming button, if there is anything to confirm.
    pub yes: Option<(String, Action)>,
    /// Label of the button that closes.
    pub no: String,
}

/// What a menu item or a dialog may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing but close.
    Close,
    /// Start a conversation of this kind.
    NewChat(ChatKind),
    /// Open a conversation.
    OpenChat(ChatId),
    /// Write a text for a purpose.
    Write(Purpose),
    /// Ask the last question of a conversation once more.
    RetryChat(ChatId),
    /// Copy the last answer to the clipboard.
    CopyAnswer(ChatId),
    /// Save a conversation as a text file on the card.
    SaveChat(ChatId),
    /// Have a conversation summarised.
    SummarizeChat(ChatId),
    /// Ask before deleting a conversation.
    AskDeleteChat(ChatId),
    /// Delete it.
    DeleteChat(ChatId),
    /// Show the models for a conversation.
    ChooseChatModel(ChatId),
    /// Use this model from now on.
    SetChatModel(ChatId, String),
    /// Use an earlier prompt.
    UsePrompt(String),
    /// Start a new picture from the recipe of another.
    ReusePicture(PictureId),
    /// Make a larger one.
    UpscalePicture(PictureId),
    /// Make one like it.
    VaryPicture(PictureId),
    /// Save it among the files on the card.
    ExportPicture(PictureId),
    /// Ask for a failed picture once more.
    RetryPicture(PictureId),
    /// Ask before deleting a picture.
    AskDeletePicture(PictureId),
    /// Delete it.
    DeletePicture(PictureId),
    /// Choose the model of the recipe.
    SetPictureModel(String),
    /// Fetch files from the drop folder.
    FetchFiles(Vec<String>),
    /// Send files to the drop folder.
    SendFiles(Vec<String>),
    /// Ask before deleting files on the laptop.
    AskDeleteRemote(Vec<String>),
    /// Delete them.
    DeleteRemote(Vec<String>),
    /// Ask before deleting files on the card.
    AskDeleteLocal(Vec<String>),
    /// Delete them.
    DeleteLocal(Vec<String>),
    /// List the drop folder again.
    Relist,
    /// Begin to tick files.
    SelectFiles,
    /// Open where an entry belongs.
    OpenEntry(RequestKey),
    /// Move an entry towards the front.
    EntryEarlier(RequestKey),
    /// Move an entry towards the end.
    EntryLater(RequestKey),
    /// Hold an entry back, or let it go.
    HoldEntry(RequestKey),
    /// Try a failed entry again.
    RetryEntry(RequestKey),
    /// Ask before taking an entry back.
    AskDeleteEntry(RequestKey),
    /// Take it back, stopping it if it runs.
    DeleteEntry(RequestKey),
    /// Talk to this laptop.
    ChooseLaptop(LaptopId),
    /// Ask before forgetting a laptop.
    AskForget(LaptopId),
    /// Forget it: keys and permissions go, chats stay.
    Forget(LaptopId),
    /// Pair over a carrier that is there already.
    PairBy(super::laptop::Carrier),
    /// Show the laptops that the radio hears.
    LookNearby,
    /// Try the link now.
    Reconnect,
    /// Ask for the buttons, one after the other.
    SetUpButtons,
    /// Forget what a set-up of buttons learned.
    UndoButtons,
    /// Show the keys that stand for the buttons.
    ShowKeys,
    /// Turn the lock on or off.
    SetLock(bool),
    /// Forget the words that the keyboard has learned.
    ForgetWords,
    /// Quit.
    Quit,
}

/// A short notice of something that went well, or will need somebody soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Words.
    pub text: String,
    /// It tells of something to be done, not of something done.
    pub warns: bool,
    /// When it goes, once it is shown.
    pub until: Option<Millis>,
}
