//! The daemon's side of the gateway: finds the caller, makes a program of what is asked, and tells its results as they come.
//!
//! From a key on, a caller is a subject like a device: the same verifier, policy, desk, executor, quotas and ledger. What is
//! special is only how its results travel: as events on the connection that asked, and a connection that closes is a cancel.

mod fault;
mod follow;
mod program;
mod stop;

use crate::control::api::{
    GatewayChat, GatewayEmbed, GatewayEvent, GatewayImage, GatewayKey, GatewayText, Sampling,
    Secret,
};
use crate::control::{Line, Reply, RpcError, Talk};
use crate::hub::{Call, Hub, Refusal};
use crate::policy::Profile;
use crate::store::Relationship;
use fault::Failed;
use follow::Results;
use program::Asked;
use shared_proto::opcode::{Operation, Service};
use std::sync::Arc;
use stop::Stops;

/// Operations that the gateway has.
const OPERATIONS: [Operation; 4] = [
    Operation::Chat,
    Operation::Complete,
    Operation::Embed,
    Operation::Generate,
];

/// `gateway.models`.
pub(super) fn models(hub: &Arc<Hub>, wanted: GatewayKey) -> Result<Reply, RpcError> {
    let hub = Arc::clone(hub);
    talk(move |line| {
        let event = match look(&hub, &wanted.key) {
            Ok(models) => GatewayEvent::Models { models },
            Err(failed) => failed.event(),
        };
        follow::say(line, &event);
    })
}

fn look(hub: &Arc<Hub>, key: &Secret) -> Result<Vec<String>, Failed> {
    let (caller, profile) = known(hub, key)?;
    hub.count_look(caller.id)
        .map_err(|refusal| Failed::of(hub, Some((&caller, &profile)), refusal.fault))?;
    hub.ask_for_models();
    let models = hub.models_for(&profile, &OPERATIONS).into_iter();
    Ok(models.map(|(_, model)| model.id).collect())
}

/// `gateway.chat`.
pub(super) fn chat(hub: &Arc<Hub>, wanted: GatewayChat) -> Result<Reply, RpcError> {
    let made = program::chat(&wanted);
    text(
        hub,
        wanted.key,
        wanted.model,
        Operation::Chat,
        wanted.sampling,
        made,
    )
}

/// `gateway.complete`.
pub(super) fn complete(hub: &Arc<Hub>, wanted: GatewayText) -> Result<Reply, RpcError> {
    let made = program::complete(&wanted);
    let operation = Operation::Complete;
    text(
        hub,
        wanted.key,
        wanted.model,
        operation,
        wanted.sampling,
        made,
    )
}

fn text(
    hub: &Arc<Hub>,
    key: Secret,
    model: String,
    operation: Operation,
    sampling: Sampling,
    made: Result<Asked, Failed>,
) -> Result<Reply, RpcError> {
    let hub = Arc::clone(hub);
    talk(move |line| {
        let telling = Results::Text(Stops::new(sampling.stop));
        answer(&hub, line, &key, &model, operation, made, telling);
    })
}

/// `gateway.embed`.
pub(super) fn embed(hub: &Arc<Hub>, wanted: GatewayEmbed) -> Result<Reply, RpcError> {
    let hub = Arc::clone(hub);
    talk(move |line| {
        let made = program::embed(&wanted);
        let results = Results::Vectors(wanted.input.len());
        let (key, model) = (&wanted.key, &wanted.model);
        answer(&hub, line, key, model, Operation::Embed, made, results);
    })
}

/// `gateway.image`.
pub(super) fn image(hub: &Arc<Hub>, wanted: GatewayImage) -> Result<Reply, RpcError> {
    let hub = Arc::clone(hub);
    talk(move |line| {
        let made = program::image(&wanted);
        let operation = Operation::Generate;
        answer(
            &hub,
            line,
            &wanted.key,
            &wanted.model,
            operation,
            made,
            Results::Pictures,
        );
    })
}

fn talk(talk: impl FnOnce(&Line<'_>) + Send + 'static) -> Result<Reply, RpcError> {
    Ok(Reply::Talk(Talk::new(talk)))
}

fn known(hub: &Hub, key: &Secret) -> Result<(Relationship, Profile), Failed> {
    hub.caller_of(&key.0)
        .map_err(|Refusal { fault, .. }| Failed::of(hub, None, fault))
}

fn answer(
    hub: &Arc<Hub>,
    line: &Line<'_>,
    key: &Secret,
    model: &str,
    operation: Operation,
    made: Result<Asked, Failed>,
    results: Results,
) {
    let (caller, profile) = match known(hub, key) {
        Ok(known) => known,
        Err(failed) => return follow::say(line, &failed.event()),
    };
    let begun = made.and_then(|asked| {
        offered(hub, &profile, operation, model)?;
        let call = Call {
            program: asked.program,
            attached: asked.attached,
            screen: asked.screen,
            formats: shared_proto::picture::Format::Png.bit(),
        };
        hub.call(&caller, call)
            .map_err(|refusal| Failed::of(hub, Some((&caller, &profile)), refusal.fault))
    });
    match begun {
        Ok(work) => follow::follow(hub, &caller, &work, line, results),
        Err(failed) => follow::say(line, &failed.event()),
    }
}

/// A model that nobody has, or that this caller may not name, is refused before anybody is asked, and both in the same
/// words: what is hidden is not there.
fn offered(
    hub: &Arc<Hub>,
    profile: &Profile,
    operation: Operation,
    model: &str,
) -> Result<(), Failed> {
    if !profile.permits_model(operation.service(), model) {
        return Err(Failed::no_model(model));
    }
    let find = || {
        let mut models = hub.catalogue.models().into_iter();
        models.find(|(service, one)| *service == operation.service() && one.id == model)
    };
    // A provider that was started since is found by asking again.
    let found = find().or_else(|| {
        hub.ask_for_models();
        find()
    });
    let (service, found) = found.ok_or_else(|| Failed::no_model(model))?;
    let wants_vectors = operation == Operation::Embed;
    match found.embeds {
        Some(embeds) if service == Service::Language && embeds != wants_vectors => {
            let what = match embeds {
                true => "makes embeddings only, and writes no text",
                false => "writes text, and makes no embeddings",
            };
            Err(Failed::request(format!("model: {model} {what}")))
        }
        _ => Ok(()),
    }
}
