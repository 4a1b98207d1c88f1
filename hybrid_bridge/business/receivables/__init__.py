"""Receivables finance: an invoice becomes an asset, the debtor's promise to pay a note, the note is moved and financed.

``objects`` what is stored · ``assets`` invoices · ``notes`` issue, accept, split · ``financing`` · ``payments`` ·
``review`` what a bank and an outsider check beyond the chain. Source: SCENARIOS §2.1.
"""
