//! The daemon's side of the gateway: finds the caller, makes a program of what is asked, and tells its results as they come.
//!
//! From a key on, a caller is a subject like a device: the same verifier, policy, desk, executor, quotas and ledger. What is
//! special is only how its results travel: as events on the connection that asked, and a connection that closes is a cancel.

mod fault;
mod follow;
mod program;
mod stop;

use crate::control::api::{
    GatewayChat, GatewayEvent, GatewayImage, GatewayKey, GatewayText, Sampling, Secret,
};
use crate::control::{Line, Reply, RpcError, Talk};
use crate::hub::{Call, Hub, Refusal};
use crate::policy::Profile;
use crate::store::Relationship;
use fault::Failed;
use program::Asked;
use shared_proto::opcode::Operation;
use std::sync::Arc;
use stop::Stops;

/// Operations that the gateway has.
const OPERATIONS: [Operation; 3] = [Operation::Chat, Operation::Complete, Operation::Generate];

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
        let stops = Stops::new(sampling.stop);
        answer(&hub, line, &key, &model, operation, made, Some(stops));
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
            None,
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
    stops: Option<Stops>,
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
        Ok(work) => follow::follow(hub, &caller, &work, line, stops),
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
    let has = || {
        let models = hub.catalogue.models();
        models
            .iter()
            .any(|(service, one)| *service == operation.service() && one.id == model)
    };
    // A provider that was started since is found by asking again.
    if !has() {
        hub.ask_for_models();
        if !has() {
            return Err(Failed::no_model(model));
        }
    }
    Ok(())
}
