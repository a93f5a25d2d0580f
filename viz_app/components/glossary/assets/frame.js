// The glossary in the app. Before it stand its dialog (`a2Glossary`) and what all components share (`mounting`).

export default mounting("[data-a2-glossary]", a2Glossary.Glossary);
