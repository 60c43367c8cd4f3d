"""Copies of runs and tables for other programs; nothing is ever read back from them (mirrors floor).

base.py, csv_mirror.py   copies that grow while a run trains: a file per logger
wandb_*.py               copies for Weights & Biases, written from what lies in the results folder
"""
