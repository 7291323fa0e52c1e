//! The state as it is seen through views, by viewers who may not see all of it.

use std::collections::BTreeMap;

use model::{
    frame::{Frame, Handle},
    rights::Rights,
    topic::TopicId,
};

use super::{HubState, TopicFrame};
use crate::hub::{
    topics::{EVENTS, FLEET},
    views::{FullState, TooManyViews, ViewId, Views},
};

impl HubState {
    /// The whole of a topic as a frame, as a view sees it. Nothing may be pending: a snapshot stands at the topic's last frame.
    pub(in crate::hub) fn snapshot(&self, handle: Handle, view: Option<ViewId>) -> Option<Frame> {
        let Some(view) = view else { return self.full_snapshot(handle) };
        let view = self.views.get(view)?;
        match handle {
            FLEET => Some(view.fleet()),
            EVENTS => Some(view.events(&self.events.log())),
            _ => {
                let cluster = &self.proxy_of(handle)?.state.cluster;
                let frame = self.full_snapshot(handle)?;
                Some(view.visibility.frame(cluster, &frame).unwrap_or(frame))
            }
        }
    }

    /// The view for one viewer more; nothing where they see everything.
    pub(in crate::hub) fn join_view(&mut self, rights: &Rights) -> Result<Option<ViewId>, TooManyViews> {
        self.with_views(|views, full| views.join(rights, full))
    }

    /// A viewer left its view.
    pub(in crate::hub) fn leave_view(&mut self, view: Option<ViewId>) {
        self.views.leave(view);
    }

    /// Whether those of a view may see a topic, whether it exists now or comes to be later.
    pub(in crate::hub) fn sees(&self, view: Option<ViewId>, id: &TopicId) -> bool {
        let cluster_of = |node: &str| Some(self.nodes.iter().find(|n| n.name == node)?.cluster.as_str());
        match view {
            None => true,
            Some(view) => self.views.get(view).is_some_and(|view| view.visibility.sees_topic(id, cluster_of)),
        }
    }

    /// The frames that views get instead of a frame of rows: of the views for which something in it has to be hidden.
    pub(in crate::hub) fn redacted(&self, frame: &TopicFrame) -> BTreeMap<ViewId, Frame> {
        let Some(proxy) = self.proxy_of(frame.handle) else { return BTreeMap::new() };
        let (cluster, proxy) = (&proxy.state.cluster, &proxy.state.proxy);
        let views = self.views.iter().filter(|(_, view)| view.visibility.sees(cluster, proxy));
        views.filter_map(|(id, view)| Some((id, view.visibility.frame(cluster, &frame.frame)?))).collect()
    }

    /// Calls a function with the views and with what they are made of.
    pub(super) fn with_views<T>(&mut self, act: impl FnOnce(&mut Views, &FullState<'_>) -> T) -> T {
        let Self { views, fleet, problems, proxies, .. } = self;
        act(views, &FullState { fleet, problems, proxies })
    }
}
