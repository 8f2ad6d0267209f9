//! The table of commands: declared once, called from anywhere.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use bytes::Bytes;
use hashbrown::HashMap;
use model::Result;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::spec::Spec;
use crate::{decode, envelope};

/// A command: its request, its reply, what it declares and what it does.
pub trait Command: DeserializeOwned + JsonSchema + Send + 'static {
    /// What it declares.
    const SPEC: Spec;

    /// Its reply.
    type Reply: Serialize + JsonSchema + Send;

    /// Does it. The caller has been found entitled and the request well-formed.
    fn run(self, call: &Call) -> impl Future<Output = Result<Self::Reply>> + Send;
}

/// A request at work.
pub type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of a request.
pub struct Done {
    /// The body of the answer.
    pub body: Result<Vec<u8>>,
    /// Frames that the calling connection gets first.
    pub before: Vec<Bytes>,
}

/// What is left of a command when its types are forgotten.
pub trait AnyCommand: Send + Sync {
    /// What it declares.
    fn spec(&self) -> &'static Spec;

    /// Decodes a request and begins it. What is returned needs the body no more.
    ///
    /// # Errors
    /// The number declared for a field that is wrong, naming the field.
    fn begin(&self, call: Call, body: &[u8]) -> Result<Work>;

    /// Schemas of request and reply.
    fn schemas(&self, generator: &mut SchemaGenerator) -> (Schema, Schema);
}

/// A command with its types forgotten.
pub struct Erased<C>(PhantomData<fn() -> C>);

impl<C: Command> Erased<C> {
    /// The command, ready for the table.
    #[must_use]
    pub fn boxed() -> Box<dyn AnyCommand> {
        Box::new(Self(PhantomData))
    }
}

impl<C: Command> AnyCommand for Erased<C> {
    fn spec(&self) -> &'static Spec {
        const { &C::SPEC }
    }

    fn begin(&self, call: Call, body: &[u8]) -> Result<Work> {
        let request: C = decode::request(&C::SPEC, body)?;
        Ok(Box::pin(async move {
            let body = match request.run(&call).await {
                Ok(reply) => envelope::success(C::SPEC.family, &reply)
                    .map_err(|error| model::Error::from(C::SPEC.family.internal).caused_by(error)),
                Err(error) => Err(error),
            };
            Done { body, before: call.take_before() }
        }))
    }

    fn schemas(&self, generator: &mut SchemaGenerator) -> (Schema, Schema) {
        (generator.subschema_for::<C>(), generator.subschema_for::<C::Reply>())
    }
}

/// Every command by its name.
pub struct Table {
    commands: Vec<Box<dyn AnyCommand>>,
    by_name: HashMap<String, usize>,
    /// The names as sockets spell them, in the order of the table.
    dotted: Vec<String>,
}

impl Table {
    /// A table of these commands.
    ///
    /// # Panics
    /// If two have the same name: the program would be wrong.
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "two commands of one name are a mistake in the program, seen at every start"
    )]
    pub fn new(commands: Vec<Box<dyn AnyCommand>>) -> Self {
        let mut by_name = HashMap::new();
        let dotted: Vec<String> =
            commands.iter().map(|command| command.spec().name.replace('/', ".")).collect();
        for (index, command) in commands.iter().enumerate() {
            let spec = command.spec();
            for name in [spec.name].iter().chain(spec.aliases) {
                for key in [(*name).to_owned(), name.replace('/', ".")] {
                    if by_name.insert(key, index).is_some() {
                        panic!("two commands are called {name}");
                    }
                }
            }
        }
        Self { commands, by_name, dotted }
    }

    /// The command of this name, written with a slash or a dot, and its place in the table.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &dyn AnyCommand)> {
        let index = *self.by_name.get(name)?;
        Some((index, self.commands.get(index)?.as_ref()))
    }

    /// The command at a place in the table.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&dyn AnyCommand> {
        Some(self.commands.get(index)?.as_ref())
    }

    /// The name of the command at a place in the table, as sockets spell it.
    #[must_use]
    pub fn dotted(&self, index: usize) -> &str {
        self.dotted.get(index).map_or("", String::as_str)
    }

    /// Every command, in the order of the table.
    pub fn all(&self) -> impl Iterator<Item = &dyn AnyCommand> {
        self.commands.iter().map(AsRef::as_ref)
    }

    /// How many commands there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::spec::Family;

    #[derive(Deserialize, JsonSchema)]
    struct Nothing {}

    impl Command for Nothing {
        const SPEC: Spec = Spec::new("one/nothing", Family::MESSAGE).aliases(&["other/nothing"]);

        type Reply = crate::Done;

        async fn run(self, _: &Call) -> Result<crate::Done> {
            Ok(crate::Done {})
        }
    }

    #[test]
    fn a_command_is_found_by_each_of_its_names_and_counts_once() {
        let table = Table::new(vec![Erased::<Nothing>::boxed()]);
        for name in ["one/nothing", "one.nothing", "other/nothing", "other.nothing"] {
            assert_eq!(table.find(name).map(|(index, _)| index), Some(0), "{name}");
        }
        assert!(table.find("one/other").is_none());
        assert_eq!((table.len(), table.dotted(0)), (1, "one.nothing"));
    }
}
