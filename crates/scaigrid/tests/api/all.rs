//! All areas of the API, in one colour.

mod batch;
mod health;
mod ids;
mod images;
mod inference;
mod models;
mod pages;
mod rooms;
mod scaimatrix;
mod sessions;
mod speech;
mod webhooks;
