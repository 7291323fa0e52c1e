//! The state through the views of those who may not see all of it.

use std::collections::BTreeMap;

use model::{
    frame::{Frame, Handle},
    rights::Rights,
    topic::TopicId,
};

use super::{State, Topic, TopicFrame};
use crate::hub::{
    ProxyState,
    subscribers::{EVENTS, FLEET},
    views::{Crowded, ViewId, Views, Whole},
};

impl State {
    /// The whole of a topic, as a frame, as it is seen by a view. Everything absorbed must have been told.
    pub(in crate::hub) fn snapshot(&self, handle: Handle, view: Option<ViewId>) -> Option<Frame> {
        let Some(view) = view else { return self.whole_snapshot(handle) };
        let view = self.views.get(view)?;
        match handle {
            FLEET => Some(view.fleet()),
            EVENTS => Some(view.events(&self.events.log())),
            _ => {
                let cluster = self.cluster(handle)?;
                let frame = self.whole_snapshot(handle)?;
                Some(view.sight.frame(cluster, &frame).unwrap_or(frame))
            }
        }
    }

    /// The view of one viewer more; nothing for who sees everything.
    pub(in crate::hub) fn enter(&mut self, rights: &Rights) -> Result<Option<ViewId>, Crowded> {
        self.with_views(|views, whole| views.enter(rights, whole))
    }

    /// A viewer left its view.
    pub(in crate::hub) fn leave(&mut self, view: Option<ViewId>) {
        self.views.leave(view);
    }

    /// Whether a topic is there, now or ever, for those of a view.
    pub(in crate::hub) fn sees(&self, view: Option<ViewId>, id: &TopicId) -> bool {
        let cluster_of = |node: &str| Some(self.nodes.iter().find(|n| n.name == node)?.cluster.as_str());
        match view {
            None => true,
            Some(view) => self.views.get(view).is_some_and(|view| view.sight.sees_topic(id, cluster_of)),
        }
    }

    /// What views see in the place of a frame, where that is another one.
    pub(in crate::hub) fn hidden(&self, news: &TopicFrame) -> BTreeMap<ViewId, Frame> {
        let Some(Topic::Proxy(at) | Topic::Node { proxy: at, .. }) = self.topic(news.handle) else {
            return BTreeMap::new();
        };
        let ProxyState { cluster, proxy, .. } = &*self.proxies[*at];
        let views = self.views.iter().filter(|(_, view)| view.sight.sees(cluster, proxy));
        views.filter_map(|(id, view)| Some((id, view.sight.frame(cluster, &news.frame)?))).collect()
    }

    /// The cluster of a topic of rows.
    fn cluster(&self, handle: Handle) -> Option<&str> {
        let (Topic::Proxy(at) | Topic::Node { proxy: at, .. }) = self.topic(handle)?;
        Some(&self.proxies[*at].cluster)
    }

    /// Does something with the views and what they are made of.
    pub(super) fn with_views<T>(&mut self, act: impl FnOnce(&mut Views, &Whole<'_>) -> T) -> T {
        let Self { views, fleet, problems, proxies, .. } = self;
        act(views, &Whole { fleet, problems, proxies })
    }
}
