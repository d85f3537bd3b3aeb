//! Roles and what each may do: the one table of it.
//!
//! A call asks for a permission, never for a role, so that a new role is a new line here and nowhere else.

use serde::{Deserialize, Serialize};

use super::limit::Limits;

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a call may ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $variant,)* }

        impl Permission {
            /// All of them.
            pub const ALL: &'static [Permission] = &[$(Permission::$variant,)*];

            /// Its name in answers and pages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Permission::$variant => $name,)* }
            }
        }
    };
}

permissions! {
    /// See lanes, devices, stays and passages.
    GateRead = "gate.read";
    /// Open a lane by hand.
    LaneOpen = "lane.open";
    /// Lane modes, corrections of plates and counts, block list and free list.
    GateOperate = "gate.operate";
    /// See areas, rooms, spaces, pools and uses.
    EstateRead = "estate.read";
    /// Change them.
    EstateWrite = "estate.write";
    /// See fee items, packages and tariffs.
    PricesRead = "prices.read";
    /// Change them.
    PricesWrite = "prices.write";
    /// See holders, their vehicles and their cards.
    CardsRead = "cards.read";
    /// Enter holders; open, change and close cards.
    CardsWrite = "cards.write";
    /// See periodic and independent bills, notices and closings.
    BillsRead = "bills.read";
    /// Run, void and correct bills.
    BillsWrite = "bills.write";
    /// Give up what is owed, within the role's limit.
    WriteOff = "bills.write_off";
    /// See merchants, coupons and free passes.
    MerchantsRead = "merchants.read";
    /// Change them.
    MerchantsWrite = "merchants.write";
    /// Give a discount by hand, within the role's limit.
    DiscountGive = "discounts.give";
    /// See invoices and receipts.
    InvoicesRead = "invoices.read";
    /// Issue and reverse them.
    InvoicesWrite = "invoices.write";
    /// See orders, payments and refunds.
    PaymentsRead = "payments.read";
    /// Take money: cash, a payment code, stored value.
    PaymentsTake = "payments.take";
    /// Give money back.
    RefundMake = "refunds.make";
    /// Open, count and close a shift of one's own.
    ShiftOwn = "shifts.own";
    /// See everybody's shifts.
    ShiftsRead = "shifts.read";
    /// See arrears.
    ArrearsRead = "arrears.read";
    /// Forgive arrears, within the role's limit.
    ArrearsForgive = "arrears.forgive";
    /// See accounts, postings, balances and statements, and export them.
    BooksRead = "books.read";
    /// Correct the books by reversals; close days.
    BooksWrite = "books.write";
    /// Run reconciliations.
    Reconcile = "reconciliations.run";
    /// See cases.
    CasesRead = "cases.read";
    /// Decide cases.
    CasesResolve = "cases.resolve";
    /// Read the journal.
    JournalRead = "journal.read";
    /// Read plates, names and telephone numbers where they are not needed for the work at hand (the journal, lists).
    PersonalRead = "personal.read";
    /// See drivers of devices and their state.
    DriversRead = "drivers.read";
    /// See accounts of people and programs.
    UsersRead = "users.read";
    /// Make and change accounts, roles and tokens.
    UsersWrite = "users.write";
    /// See the merchant that one acts for, and redeem its coupons.
    MerchantOwn = "merchants.own";
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u64);

const _: () = assert!(Permission::ALL.len() <= 64, "a permission is a bit of a u64");

impl Permissions {
    /// Every permission.
    pub fn all() -> Self {
        Self::of(Permission::ALL)
    }

    /// These.
    pub fn of(permissions: &[Permission]) -> Self {
        Self(permissions.iter().fold(0, |set, permission| set | bit(*permission)))
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this one is among them.
    pub fn allow(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Each of them, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.allow(*permission))
    }
}

fn bit(permission: Permission) -> u64 {
    1 << permission as u64
}

/// What a person or a program is to the lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The box's keeper: everything, accounts too.
    Administrator,
    /// Runs the lot: everything but accounts and the books' corrections.
    Manager,
    /// The office window: spaces, holders, cards, bills, invoices.
    Clerk,
    /// The guard-house: gate and cash.
    Attendant,
    /// Books, reconciliation, invoices.
    Accountant,
    /// Reads everything, changes nothing.
    Auditor,
    /// A merchant (商户): its own account, coupons and statements, and nothing else.
    Merchant,
}

impl Role {
    /// All of them.
    pub const ALL: &'static [Role] = &[
        Role::Administrator,
        Role::Manager,
        Role::Clerk,
        Role::Attendant,
        Role::Accountant,
        Role::Auditor,
        Role::Merchant,
    ];

    /// Its name in records, commands and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Manager => "manager",
            Self::Clerk => "clerk",
            Self::Attendant => "attendant",
            Self::Accountant => "accountant",
            Self::Auditor => "auditor",
            Self::Merchant => "merchant",
        }
    }

    /// The role of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }

    /// What it may do.
    pub fn permissions(self) -> Permissions {
        use Permission as P;
        match self {
            Self::Administrator => Permissions::all(),
            Self::Manager => Permissions::of(READING).and(Permissions::of(&[
                P::LaneOpen,
                P::GateOperate,
                P::EstateWrite,
                P::PricesWrite,
                P::CardsWrite,
                P::BillsWrite,
                P::WriteOff,
                P::MerchantsWrite,
                P::DiscountGive,
                P::InvoicesWrite,
                P::PaymentsTake,
                P::RefundMake,
                P::ShiftOwn,
                P::ArrearsForgive,
                P::Reconcile,
                P::CasesResolve,
            ])),
            Self::Clerk => Permissions::of(&[
                P::GateRead,
                P::EstateRead,
                P::EstateWrite,
                P::PricesRead,
                P::CardsRead,
                P::CardsWrite,
                P::BillsRead,
                P::BillsWrite,
                P::MerchantsRead,
                P::MerchantsWrite,
                P::DiscountGive,
                P::InvoicesRead,
                P::InvoicesWrite,
                P::PaymentsRead,
                P::PaymentsTake,
                P::ShiftOwn,
                P::ArrearsRead,
                P::CasesRead,
                P::PersonalRead,
            ]),
            Self::Attendant => Permissions::of(&[
                P::GateRead,
                P::LaneOpen,
                P::GateOperate,
                P::PricesRead,
                P::DiscountGive,
                P::PaymentsRead,
                P::PaymentsTake,
                P::ShiftOwn,
                P::ArrearsRead,
                P::CasesRead,
                P::DriversRead,
            ]),
            Self::Accountant => Permissions::of(&[
                P::GateRead,
                P::EstateRead,
                P::PricesRead,
                P::CardsRead,
                P::BillsRead,
                P::WriteOff,
                P::MerchantsRead,
                P::InvoicesRead,
                P::InvoicesWrite,
                P::PaymentsRead,
                P::RefundMake,
                P::ShiftsRead,
                P::ArrearsRead,
                P::ArrearsForgive,
                P::BooksRead,
                P::BooksWrite,
                P::Reconcile,
                P::CasesRead,
                P::CasesResolve,
                P::JournalRead,
            ]),
            Self::Auditor => Permissions::of(READING),
            Self::Merchant => Permissions::of(&[P::MerchantOwn]),
        }
    }

    /// How far it may go where money is given up, unless the configuration says otherwise: in the smallest unit.
    pub fn limits(self) -> Limits {
        match self {
            Self::Administrator => Limits::ANY,
            Self::Manager => Limits::up_to(100_000, 200_000, 500_000),
            Self::Clerk => Limits::up_to(5_000, 0, 0),
            Self::Attendant => Limits::up_to(2_000, 0, 0),
            Self::Accountant => Limits::up_to(0, 20_000, 100_000),
            Self::Auditor | Self::Merchant => Limits::NOTHING,
        }
    }
}

/// Everything that can be read.
const READING: &[Permission] = &[
    Permission::GateRead,
    Permission::EstateRead,
    Permission::PricesRead,
    Permission::CardsRead,
    Permission::BillsRead,
    Permission::MerchantsRead,
    Permission::InvoicesRead,
    Permission::PaymentsRead,
    Permission::ShiftsRead,
    Permission::ArrearsRead,
    Permission::BooksRead,
    Permission::CasesRead,
    Permission::JournalRead,
    Permission::PersonalRead,
    Permission::DriversRead,
    Permission::UsersRead,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_may_everything_and_an_auditor_nothing_but_read() {
        for permission in Permission::ALL {
            assert!(Role::Administrator.permissions().allow(*permission));
            let reads = permission.as_str().rsplit_once('.').is_some_and(|(_, verb)| verb == "read");
            assert_eq!(Role::Auditor.permissions().allow(*permission), reads, "{}", permission.as_str());
        }
    }

    #[test]
    fn no_role_but_the_administrator_makes_accounts() {
        let others = Role::ALL.iter().filter(|role| **role != Role::Administrator);
        assert!(others.into_iter().all(|role| !role.permissions().allow(Permission::UsersWrite)));
    }

    #[test]
    fn a_role_is_found_by_its_name_and_written_by_it() {
        for role in Role::ALL {
            assert_eq!(Role::by_name(role.as_str()), Some(*role));
            assert_eq!(serde_json::to_value(role).expect("json"), role.as_str());
        }
        assert_eq!(Role::by_name("root"), None);
    }
}
