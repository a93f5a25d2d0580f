"""Any torch network: published ones, the paper's, blocks inside of one, running it whole or in parts."""
