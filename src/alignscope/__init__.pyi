"""The public names, and the module that defines each; `__init__.py` reads this file."""

from alignscope.api.pretraining import pretrain as pretrain
from alignscope.api.results import (
    StudyResults as StudyResults,
    compare_results as compare_results,
    load_results as load_results,
)
from alignscope.api.similarity import (
    plot_similarity as plot_similarity,
    similarity as similarity,
)
from alignscope.api.studies import (
    Study as Study,
    run_study as run_study,
)
from alignscope.api.training import (
    fine_tune as fine_tune,
    load_corpus as load_corpus,
)
from alignscope.api.tuning import tune as tune
from alignscope.config.run import TrainingConfig as TrainingConfig
from alignscope.config.similarity import SimilarityConfig as SimilarityConfig
from alignscope.config.task import TaskConfig as TaskConfig
from alignscope.config.windows import Window as Window
from alignscope.data.sentence import Sentence as Sentence
from alignscope.encoders.encoder import (
    Encoder as Encoder,
    load_encoder as load_encoder,
)
from alignscope.encoders.reinitialize import (
    reinitialize as reinitialize,
    reinitialize_ as reinitialize_,
)
from alignscope.errors import AlignScopeError as AlignScopeError
from alignscope.experiments.executors import (
    ProcessExecutor as ProcessExecutor,
    RayExecutor as RayExecutor,
    SerialExecutor as SerialExecutor,
)
from alignscope.experiments.in_memory import FineTuned as FineTuned
from alignscope.similarity.arrays import similarity_of_arrays as similarity_of_arrays
from alignscope.similarity.measures.registry import register_measure as register_measure
from alignscope.tasks import (
    TokenTagging as TokenTagging,
    check_task as check_task,
    pair_sentences as pair_sentences,
    register_task as register_task,
)
from alignscope.training.pretraining.config import PretrainingConfig as PretrainingConfig

__version__: str
__all__: list[str]
