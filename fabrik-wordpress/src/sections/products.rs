//! `products`: what is for sale.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{image, paragraph, shortcode};
use super::dress::Dress;
use super::fields::{Align, Button, Figure, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// Where products come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// From `items`.
    #[default]
    Cards,
    /// From WooCommerce, as they are when the page is shown.
    Shop,
}

/// Which products of a shop come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// The newest.
    #[default]
    Date,
    /// Those that sell best.
    Popularity,
    /// The best rated.
    Rating,
    /// The cheapest.
    Price,
}

/// What is for sale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Products {
    /// Where they come from.
    #[serde(default)]
    variant: Variant,
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The products, for `cards`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<Product>,
    /// How many, for `shop`.
    #[serde(default = "count_default")]
    #[schemars(range(min = 1, max = 48))]
    count: u8,
    /// How many stand beside each other.
    #[serde(default = "columns_default")]
    #[schemars(range(min = 1, max = 4))]
    columns: u8,
    /// Slug of a category, for `shop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// Which come first, for `shop`.
    #[serde(default)]
    order: Order,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Product {
    /// Its name.
    name: String,
    /// What it costs, with its currency.
    price: Figure,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// A picture of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// What the picture shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    alt: Option<String>,
    /// How to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Button>,
}

fn count_default() -> u8 {
    6
}

fn columns_default() -> u8 {
    3
}

impl Section for Products {
    const KIND: &'static str = "products";
    const NAME: &'static str = "Products";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        let columns = b.columns_within("columns", self.columns, 4)?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        if self.variant == Variant::Shop {
            if !self.items.is_empty() {
                return Err(b
                    .wrong("items", "a shop's products come from WooCommerce")
                    .hint("set variant: cards"));
            }
            inner.push(self.shop(b, columns)?);
            return Ok(Shell::Band(self.look.clone(), inner));
        }
        b.count("items", self.items.len())?;
        let mut cards = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let field = format!("items[{index}]");
            let parts = b.on_card(false, |b| item.blocks(b, &field, level))?;
            cards.push(b.card(parts, false));
        }
        inner.extend(b.rows(columns, cards));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Products {
    fn shop(&self, b: &Build<'_>, columns: u8) -> Result<Block> {
        let count = b.columns_within("count", self.count, 48)?;
        let order = match self.order {
            Order::Date => "date\" order=\"DESC",
            Order::Popularity => "popularity",
            Order::Rating => "rating",
            Order::Price => "price\" order=\"ASC",
        };
        let category = match &self.category {
            Some(category) => match fabrik_blocks::text::slug(category) {
                Ok(slug) => format!(" category=\"{slug}\""),
                Err(_) => return Err(b.wrong("category", "is no slug of a category")),
            },
            None => String::new(),
        };
        Ok(shortcode(&format!(
            "[products limit=\"{count}\" columns=\"{columns}\" orderby=\"{order}\"{category}]"
        )))
    }
}

impl Product {
    fn blocks(&self, b: &mut Build<'_>, field: &str, level: u8) -> Result<Vec<Block>> {
        let mut parts = Vec::new();
        if let Some(key) = &self.image {
            let picture = b.image(&format!("{field}.image"), key, self.alt.as_deref())?;
            let dress = Dress {
                radius: Some(b.radius.clone()),
                ..Dress::default()
            };
            parts.push(image(&picture, None, None, &dress));
        }
        let name = b.plain(&format!("{field}.name"), &self.name)?;
        parts.push(b.heading(level, &name, Align::Start));
        let price = b.plain(&format!("{field}.price"), &self.price.0)?;
        let dress = Dress {
            size: Some("1.25rem"),
            weight: Some("600"),
            ..Dress::default()
        };
        parts.push(paragraph(&price, &dress.class("fabrik-price")));
        if let Some(text) = &self.text {
            parts.extend(b.paragraphs(&format!("{field}.text"), text, Align::Start, None)?);
        }
        if let Some(button) = &self.button {
            parts.push(b.one_button(&format!("{field}.button"), button, Align::Start)?);
        }
        Ok(parts)
    }
}
